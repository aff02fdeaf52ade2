"""A key is shown once, kept as a hash, and opens what its record says for as long as it says."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.web.access.keys import BadKeys, Key, KeyFile, Rate, Scope, digest_of, editing, id_of

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def create(path: Path, name: str = "web", **more: object) -> tuple[Key, str]:
    with editing(path) as editor:
        return editor.create(name, scopes=frozenset([Scope.PREDICT]), **more)


def test_the_file_has_the_hash_and_not_the_key(path: Path) -> None:
    key, secret = create(path)
    assert id_of(secret) == key.id
    assert KeyFile.load(path).require(key.id).matches(digest_of(secret))
    assert secret.split("_", 2)[2] not in path.read_text()
    assert key.id not in secret.removeprefix(f"gw_{key.id}")


def test_no_two_keys_are_alike(path: Path) -> None:
    secrets = {create(path)[1] for _ in range(20)}
    assert len(secrets) == len({id_of(each) for each in secrets}) == 20
    assert len(KeyFile.load(path).keys) == 20


def test_a_key_that_is_changed_anywhere_does_not_match(path: Path) -> None:
    key, secret = create(path)
    for place in range(len(secret)):
        other = secret[:place] + ("a" if secret[place] != "a" else "b") + secret[place + 1 :]
        assert not key.matches(digest_of(other))


@pytest.mark.parametrize("text", ["", "gw_", "gw_0_1", "a" * 63, "gw_0123456789abcdef_", "ﬁ"])
def test_what_is_no_key_names_none(text: str) -> None:
    assert id_of(text) is None


def test_a_key_expires(path: Path) -> None:
    key, _ = create(path, expires=NOW + DAY)
    assert key.state(NOW + DAY - timedelta(seconds=1)) == "valid"
    assert key.state(NOW + DAY) == "expired"


def test_a_revoked_key_opens_nothing_and_stays_in_the_file(path: Path) -> None:
    key, _ = create(path, expires=NOW + DAY)
    with editing(path) as editor:
        editor.revoke(key.id)
    (revoked,) = KeyFile.load(path).keys
    assert revoked.state(NOW) == revoked.state(NOW + 2 * DAY) == "revoked"
    with editing(path) as editor:
        assert editor.revoke(key.id) == revoked  # it says when it was revoked first


def test_rotation_makes_the_same_key_and_ends_the_old_one(path: Path) -> None:
    rate = Rate(tokens_per_second=5, burst_tokens=50)
    old, _ = create(path, rate=rate, expires=NOW + 30 * DAY)
    with editing(path) as editor:
        new, secret = editor.rotate(old.id, grace=DAY)
    first, second = KeyFile.load(path).keys
    assert (first.id, second) == (old.id, new)
    assert new.matches(digest_of(secret))
    assert not old.matches(digest_of(secret))
    assert (new.name, new.scopes, new.rate) == (old.name, old.scopes, old.rate)
    assert DAY / 2 < first.ends - datetime.now(UTC) <= DAY
    assert timedelta(days=29) < new.expires - datetime.now(UTC) <= timedelta(days=30)


def test_rotation_does_not_lengthen_a_life(path: Path) -> None:
    old, _ = create(path, expires=NOW + timedelta(hours=1))
    with editing(path) as editor:
        editor.rotate(old.id, grace=30 * DAY)
    assert KeyFile.load(path).require(old.id).ends == old.expires


@pytest.mark.parametrize("expires", [None, NOW + 30 * DAY])
def test_a_second_rotation_makes_the_same_key_as_the_first(
    path: Path, expires: datetime | None
) -> None:
    """As for who lost the key that is shown once."""
    old, _ = create(path, expires=expires)
    with editing(path) as editor:
        made = [editor.rotate(old.id, grace=grace)[0] for grace in (DAY, 2 * DAY)]
    assert made[0].expires == made[1].expires
    assert (made[1].expires is None) == (expires is None)
    assert KeyFile.load(path).require(old.id).ends - datetime.now(UTC) <= DAY


def test_lives_end_with_the_calendar(path: Path) -> None:
    last = datetime.max.replace(tzinfo=UTC)
    old, _ = create(path, expires=last)
    with editing(path) as editor:
        new, _ = editor.rotate(old.id, grace=timedelta(weeks=999_999))
    assert (new.expires, KeyFile.load(path).require(old.id).ends) == (last, last)


def test_a_key_that_is_over_is_not_rotated(path: Path) -> None:
    key, _ = create(path)
    with editing(path) as editor:
        editor.revoke(key.id)
        with pytest.raises(BadKeys, match=f"{key.id}.* is revoked; create"):
            editor.rotate(key.id, grace=DAY)


def test_a_key_that_is_not_there_is_told_with_those_that_are(path: Path) -> None:
    key, _ = create(path)
    with editing(path) as editor, pytest.raises(BadKeys, match=f"there are: {key.id} .web."):
        editor.revoke("0" * 16)


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "x" * 65, '"'])
def test_a_name_can_stand_in_a_log(name: str, path: Path) -> None:
    with pytest.raises(ValueError, match="is no name"):
        create(path, name)
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "the file: Invalid JSON"),
        ("[]", "the file: "),
        ('{"keys": [{}]}', "keys.0.id: "),
        ('{"format_version": 2}', "format_version: "),
        ('{"more": 1}', "more: "),
    ],
)
def test_a_damaged_file_is_told_and_kept(content: str, fault: str, path: Path) -> None:
    path.write_text(content)
    with pytest.raises(BadKeys, match=fault), editing(path):
        pass
    assert path.read_text() == content


def test_a_damaged_file_does_not_show_what_it_holds(path: Path) -> None:
    key, _ = create(path)
    path.write_text(path.read_text().replace(key.sha256, f"x{key.sha256}"))
    with pytest.raises(BadKeys) as told:
        KeyFile.load(path)
    assert key.sha256 not in str(told.value)


def test_two_keys_of_one_id_are_refused(path: Path) -> None:
    create(path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"keys": content["keys"] * 2}))
    with pytest.raises(BadKeys, match="several keys have the id"):
        KeyFile.load(path)

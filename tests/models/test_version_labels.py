"""Labels are kept in one file, which is whole or not there."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.errors import FormatTooNew, VersionCorrupt
from models.version_labels import FILE, REMEMBERED, Outcome, Verdict, VersionLabels

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def after(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def make_labels(*moves: tuple[str, int]) -> VersionLabels:
    labels = VersionLabels()
    for minute, (label, version) in enumerate(moves):
        labels = labels.assign(label, version, now=after(minute))
    return labels


def test_a_label_has_one_version_and_knows_those_before(tmp_path: Path) -> None:
    labels = make_labels(("stable", 1), ("canary", 2), ("stable", 2), ("stable", 2))
    assert labels.versions == {"stable": 2, "canary": 2}
    assert [each.version for each in labels.history("stable")] == [1, 2]  # the same is no move
    assert labels.history("other") == ()
    labels.save(tmp_path)
    assert VersionLabels.load(tmp_path) == labels
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o644


def test_which_versions_are_mentioned() -> None:
    labels = make_labels(("stable", 1), ("canary", 2), ("stable", 3), ("other", 5), ("canary", 4))
    assert labels.mentioned == {1, 2, 3, 4, 5}
    verdict = Verdict(
        label="canary", version=4, stable=3, outcome="rolled_back", at=after(9), why="it flips"
    )
    assert labels.withdraw("other").conclude(verdict).mentioned == {1, 3, 4}


def test_rolled_back_it_forgets_what_came_later() -> None:
    labels = make_labels(("stable", 1), ("stable", 2), ("stable", 3))
    first = labels.history("stable")[0]
    back = labels.roll_back("stable", to=first, now=after(9))
    assert [(each.version, each.since) for each in back.history("stable")] == [(1, after(9))]


def test_old_moves_are_forgotten() -> None:
    labels = make_labels(*(("stable", number) for number in range(1, REMEMBERED + 5)))
    history = labels.history("stable")
    assert len(history) == REMEMBERED
    assert history[-1].version == REMEMBERED + 4


def test_no_labels_leave_no_file(tmp_path: Path) -> None:
    make_labels(("stable", 1)).save(tmp_path)
    VersionLabels.load(tmp_path).withdraw("stable").save(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert VersionLabels.load(tmp_path) == VersionLabels()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not a file of labels"),
        ("{", "not a file of labels"),
        ("[]", "not a file of labels"),
        (b"\xff\xfe\x00", "not a file of labels"),
        ('{"assignments": {"stable": []}}', "assignments.stable"),
        (
            '{"assignments": {"Stable!": [{"version": 1, "since": "2026-01-01T00:00:00Z"}]}}',
            "Stable",
        ),
        (
            '{"assignments": {"stable": [{"version": 0, "since": "2026-01-01T00:00:00Z"}]}}',
            "version",
        ),
        ('{"assignments": {"stable": [{"version": 1}]}}', "since"),
        ('{"assignments": {}, "more": 1}', "more"),
        ('{"shares": {"canary": 0.1}}', "canary has a share, but no version"),
        ('{"shadows": {"canary": 0.1}}', "canary has a share, but no version"),
    ],
)
def test_a_damaged_file_is_named(content: str | bytes, message: str, tmp_path: Path) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(VersionCorrupt, match=message) as caught:
        VersionLabels.load(tmp_path)
    assert str(tmp_path / FILE) in str(caught.value)


def test_a_file_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"format_version": 2, "rules": []}')
    with pytest.raises(FormatTooNew, match="format_version 2 is newer than 1"):
        VersionLabels.load(tmp_path)


def test_a_share_goes_with_its_label(tmp_path: Path) -> None:
    labels = make_labels(("stable", 1), ("canary", 2)).share("canary", 0.25)
    labels.save(tmp_path)
    assert VersionLabels.load(tmp_path).shares == {"canary": 0.25}
    assert labels.share("canary", 0).shares == {}
    assert labels.withdraw("canary").shares == {}
    assert labels.withdraw("canary").versions == {"stable": 1}


def test_a_label_has_a_share_or_a_shadow(tmp_path: Path) -> None:
    labels = make_labels(("stable", 1), ("canary", 2)).share("canary", 0.25).shadow("canary", 1.0)
    assert (labels.shares, labels.shadows) == ({}, {"canary": 1.0})
    labels.save(tmp_path)
    assert VersionLabels.load(tmp_path) == labels
    assert labels.share("canary", 0.5).parts == {"canary": 0.5}
    assert labels.withdraw("canary").parts == {}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"shares": {"canary": 0.5}, "shadows": {"canary": 0.5}},
            "canary has a share and a shadow",
        ),
        ({"shares": {"canary": 0.5}, "shadows": {"stable": 0.6}}, "more than all of the traffic"),
    ],
)
def test_parts_of_the_traffic_that_do_not_fit(parts: dict, message: str) -> None:
    labels = make_labels(("stable", 1), ("canary", 2))
    with pytest.raises(ValueError, match=message):
        VersionLabels.model_validate(labels.model_dump() | parts)


@pytest.mark.parametrize(("outcome", "stable"), [("rolled_back", 1), ("promoted", 2)])
def test_a_verdict_takes_the_label(outcome: Outcome, stable: int, tmp_path: Path) -> None:
    labels = make_labels(("stable", 1), ("canary", 2)).share("canary", 0.25)
    verdict = Verdict(
        label="canary", version=2, stable=1, outcome=outcome, at=after(9), why="so it was"
    )
    concluded = labels.conclude(verdict)
    assert concluded.versions == {"stable": stable}
    assert concluded.shares == {}
    concluded.save(tmp_path)
    assert VersionLabels.load(tmp_path).verdicts == (verdict,)


def test_old_verdicts_are_forgotten() -> None:
    labels = make_labels(("stable", 1))
    for number in range(REMEMBERED + 5):
        verdict = Verdict(
            label="canary", version=number + 1, stable=1, outcome="rolled_back", at=NOON, why="so"
        )
        labels = labels.conclude(verdict)
    assert [each.version for each in labels.verdicts][-1] == REMEMBERED + 5
    assert len(labels.verdicts) == REMEMBERED

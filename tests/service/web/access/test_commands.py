"""`python -m service keys` makes keys that work, and shows each once."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.__main__ import app
from service.web.access.commands import read_duration, read_end
from service.web.access.keys import KeyFile, Scope, digest_of

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["keys", *arguments, "--file", str(path)])


def test_a_key_alone_goes_to_standard_output(path: Path) -> None:
    done = run(path, "create", "web", "--scope", "metrics", "--scope", "admin", "--expires", "90d")
    assert done.exit_code == 0
    (key,) = KeyFile.load(path).keys
    assert key.matches(digest_of(done.stdout.strip()))
    assert key.scopes == {Scope.METRICS, Scope.ADMIN}
    assert f"{key.id} for web: admin, metrics, until " in done.stderr


def test_a_key_predicts_where_nothing_is_said(path: Path) -> None:
    run(path, "create", "web")
    (key,) = KeyFile.load(path).keys
    assert (key.scopes, key.expires, key.rate) == ({Scope.PREDICT}, None, None)


def test_a_rate_has_ten_seconds_at_once(path: Path) -> None:
    run(path, "create", "a", "--tokens-per-second", "50")
    run(path, "create", "b", "--tokens-per-second", "50", "--burst-tokens", "70")
    assert [key.rate.burst_tokens for key in KeyFile.load(path).keys] == [500, 70]


def test_a_life_of_a_key(path: Path) -> None:
    run(path, "create", "web")
    (old,) = json.loads(run(path, "list", "--json").stdout)
    turned = run(path, "rotate", old["id"], "--grace", "2h")
    assert f"{old['id']} expires at" in turned.stderr
    assert turned.stdout.startswith("gw_")
    assert f"{old['id']} (web) is revoked" in run(path, "revoke", old["id"]).stdout
    rows = json.loads(run(path, "list", "--json").stdout)
    assert [row["state"] for row in rows] == ["revoked", "valid"]
    lines = run(path, "list").stdout.splitlines()
    assert len(lines) == 2
    secret = turned.stdout.strip().split("_", 2)[2]  # which may contain "_" too
    assert secret not in "".join(lines)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["create", "a b"], "'a b' is no name"),
        (["create", "a", "--expires", "soon"], "'soon' is no end: give 90d, 12h or a date"),
        (["create", "a", "--expires", "999999w"], "999999w is longer than dates go"),
        (["create", "a", "--expires", "2020-01-01"], "2020-01-01 is in the past"),
        (["create", "a", "--tokens-per-second", "0"], "more than 0 tokens a second"),
        (["create", "a", "--tokens-per-second", "nan"], "more than 0 tokens a second"),
        (["create", "a", "--burst-tokens", "5"], "needs --tokens-per-second"),
        (["revoke", "0"], "no key has the id '0'; there are: none"),
        (["rotate", "0", "--grace", "1y"], "'1y' is no duration"),
        (["list"], "the keys cannot be read: No such file"),
    ],
)
def test_a_fault_is_told_in_one_line(arguments: list[str], fault: str, path: Path) -> None:
    done = run(path, *arguments)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert fault in line
    assert not path.exists()


def test_an_unknown_scope_is_told_with_those_that_are(path: Path) -> None:
    done = run(path, "create", "a", "--scope", "all")
    assert done.exit_code == 2
    assert "predict" in done.stderr


def test_times() -> None:
    assert read_duration("30m") == timedelta(minutes=30)
    assert read_end("2w", now=NOW) == NOW + timedelta(days=14)
    assert read_end("2030-02-01", now=NOW) == datetime(2030, 2, 1, tzinfo=UTC)
    assert read_end("2030-02-01T12:00+02:00", now=NOW) == datetime(2030, 2, 1, 10, tzinfo=UTC)
    assert read_end(None, now=NOW) is None

"""Nobody else is answered without a key unless the operator says so."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.__main__ import app
from service.settings import Settings
from service.web.access.exposure import Exposed, check_access, is_loopback
from service.web.access.keys import BadKeys, Scope, editing


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_takes_no_keys(host: str) -> None:
    assert is_loopback(host)
    check_access(Settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "fe80::1%lo"])
def test_other_machines_do(host: str) -> None:
    with pytest.raises(Exposed, match=f"reach {host}, and no keys .*GATEWISE_OPEN=1"):
        check_access(Settings(host=host))


def test_an_operator_may_open_it_to_all(caplog: pytest.LogCaptureFixture) -> None:
    check_access(Settings(host="0.0.0.0", open=True))
    assert caplog.messages == ["everybody who reaches 0.0.0.0 is answered: no keys are asked for"]


def test_what_counts_is_where_others_reach_it() -> None:
    check_access(Settings(host="0.0.0.0", published="127.0.0.1"))
    with pytest.raises(Exposed, match="reach 192.0.2.1"):
        check_access(Settings(host="127.0.0.1", published="192.0.2.1"))


def test_keys_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with editing(path) as editor:
        editor.create("web", scopes=frozenset([Scope.PREDICT]))
    check_access(Settings(host="0.0.0.0", keys=path))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_keys_that_are_not_there_end_the_start(workers: str, store: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "keys.json")
    with pytest.raises(BadKeys, match="keys cannot be read: No such file"):
        check_access(Settings(keys=path))
    command = ["--store", str(store), "--keys", path, "--workers", workers, "--port", "0"]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 2
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"error: {path}: the keys cannot be read: No such file")


def test_an_open_door_ends_the_start(store: Path) -> None:
    refused = CliRunner().invoke(app, ["--store", str(store), "--host", "0.0.0.0"])
    assert refused.exit_code == 2
    assert "GATEWISE_KEYS=keys.json" in refused.stderr

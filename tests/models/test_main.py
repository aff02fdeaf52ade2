"""`python -m models` shows versions and moves labels."""

import errno
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from models.__main__ import app, read_shadow, read_share
from models.metadata import Metadata
from models.registry import Store
from models.steering import conclude
from models.version_labels import Verdict
from models.versions import METADATA, Version
from tests.versions import publish

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for _ in range(2):
        publish(tmp_path)
    publish(tmp_path, name="more")
    return tmp_path


def run(store: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--store", str(store)], env={"COLUMNS": "120"})


def ask(store: Path, *arguments: str) -> Any:
    done = run(store, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_versions_are_listed_with_their_labels(store: Path) -> None:
    assert run(store, "label", "toy:1", "stable").output == "toy:1 is stable\n"
    assert run(store, "label", "toy:2", "canary").output == "toy:2 is canary\n"
    rows = {(row["model"], row["version"]): row for row in ask(store, "list")}
    assert list(rows) == [("more", 1), ("toy", 2), ("toy", 1)]
    assert [row["labels"] for row in rows.values()] == [[], ["canary"], ["stable"]]
    assert [row["answers"] for row in rows.values()] == [True, False, True]
    assert [row["model"] for row in ask(store, "list", "more")] == ["more"]
    lines = run(store, "list").output.splitlines()
    assert lines[0].split() == [
        "model",
        "version",
        "labels",
        "answers",
        "created",
        "cell",
        "test",
        "MB",
    ]
    assert lines[2].split()[:6] == ["toy", "2", "canary", "2026-01-02", "00:00", "gru"]


def test_a_version_whose_metadata_are_damaged_is_listed_too(store: Path) -> None:
    (store / "toy/1/assets.extra/metadata.json").write_text("{")
    broken = ask(store, "list", "toy")[1]
    assert "metadata.json: not a metadata file" in broken["fault"]
    assert "not a metadata file" in run(store, "list").output


def test_one_version_is_described(store: Path) -> None:
    run(store, "label", "toy:1", "stable")
    run(store, "label", "toy:2", "stable")
    found = ask(store, "show", "toy:1")
    assert (found["model"], found["version"], found["labels"]) == ("toy", 1, [])
    assert found["classes"] == ["neg", "pos"]
    assert list(found["had"]) == ["stable"]
    assert ask(store, "show", "toy")["version"] == ask(store, "show", "toy:stable")["version"] == 2
    assert "made up" in run(store, "show", "toy").output


def test_traffic_goes_forward_and_back(store: Path) -> None:
    run(store, "label", "toy:1", "stable")
    run(store, "label", "toy:2", "canary")
    found = ask(store, "promote", "toy")
    assert found == {"model": "toy", "labels": {"stable": 2}, "shares": {}, "shadows": {}}
    assert run(store, "rollback", "toy").output == "toy:1 is stable again, in place of 2\n"
    assert Store(store).labels("toy").versions == {"stable": 1}
    assert (
        run(store, "label", "toy", "stable", "--remove").output == "toy:1 is not stable any more\n"
    )
    assert ask(store, "prune", "toy", "--keep", "1") == {"model": "toy", "deleted": [1]}


def test_damage_is_found(store: Path) -> None:
    assert set(ask(store, "verify").values()) == {None}
    (store / "toy/1/saved_model.pb").write_bytes(b"broken!")
    done = run(store, "verify", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert "saved_model.pb" in found.pop("toy:1")
    assert set(found.values()) == {None}
    assert "toy:2: as it was published" in run(store, "verify", "toy:2").output


def test_what_cannot_be_read_is_a_fault_of_its_version(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = Version.verify

    def refuse(version: Version) -> None:
        if version.reference == "toy:1":
            raise PermissionError(errno.EACCES, "Permission denied", "model.onnx")
        verify(version)

    monkeypatch.setattr(Version, "verify", refuse)
    done = run(store, "verify", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert "Permission denied: 'model.onnx'" in found.pop("toy:1")
    assert found == {"toy:2": None, "more:1": None}


def test_a_version_that_is_pruned_meanwhile_is_left_out(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = Version.verify

    def prune_first(version: Version) -> None:
        if version.reference == "toy:1":
            Store(store).prune("toy", keep=1)
        verify(version)

    monkeypatch.setattr(Version, "verify", prune_first)
    assert ask(store, "verify") == {"toy:2": None, "more:1": None}


def test_a_version_whose_metadata_cannot_be_read_is_listed(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Metadata, "load", fail)
    assert {row["fault"] for row in ask(store, "list", "toy")} == {"[Errno 5] Input/output error"}


def test_values_are_no_markup(tmp_path: Path) -> None:
    classes = ("[/INST]", "[toxic]", "[red]angry", ":warning:")
    store = tmp_path / "[/i]"
    version = publish(store, labels=classes)
    done = run(store, "show", "toy")
    assert done.exit_code == 0
    assert ", ".join(classes) in done.output
    (version.path / METADATA).write_text("{")
    assert run(store, "list").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "tyo"], "error: no model 'tyo' in .*; there are: more, toy; did you mean 'toy'"),
        (["list", "tyo"], "error: no model 'tyo'"),
        (["label", "toy:9", "stable"], "error: model 'toy' has no version '9'; there are: 1, 2"),
        (["label", "toy:1", "Best"], "error: 'Best' is no label"),
        (["label", "toy:1", "canary"], "error: toy has no version that is stable"),
        (["label", "toy", "canary", "--remove"], "error: no version of toy is canary"),
        (["label", "toy:1", "other", "--share", "2"], "error: '2' is no share: give 10% or 0.1"),
        (["label", "toy:1", "other", "--share", "half"], "error: 'half' is no share"),
        (["label", "toy:1", "other", "--shadow", "2"], "error: '2' is no shadow: give 10%, 0.1 or"),
        (["promote", "toy"], "error: no version of toy is canary; its labels: none"),
        (["rollback", "toy"], "error: no version of toy is stable; its labels: none"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: list[str], message: str, store: Path) -> None:
    done = run(store, *arguments)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert re.search(message, done.stderr), done.stderr


def test_a_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = run(tmp_path / "none", "list")
    assert done.exit_code == 2
    assert "is not there" in done.stderr


@pytest.mark.medium
def test_it_imports_neither_service_nor_training(store: Path) -> None:
    program = (
        "import sys; from models.__main__ import app; "
        f"app(['list', '--store', {str(store)!r}], standalone_mode=False); "
        "sys.exit(bool({'service', 'training', 'tensorflow', 'onnxruntime'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "share"), [("10%", 0.1), ("0.1", 0.1), ("0", 0.0), ("0%", 0.0), ("99.5%", 0.995)]
)
def test_shares_are_given_in_percent_or_not(text: str, share: float) -> None:
    assert read_share(text) == pytest.approx(share)


def test_a_share_is_told(store: Path) -> None:
    run(store, "label", "toy:1", "stable")
    told = run(store, "label", "toy:2", "canary", "--share", "10%").output
    assert told == "toy:2 is canary, with 0.1 of the traffic that names no label\n"


def test_a_shadow_is_told(store: Path) -> None:
    run(store, "label", "toy:1", "stable")
    told = run(store, "label", "toy:2", "canary", "--shadow", "100%").output
    assert told == "toy:2 is canary, and reads a copy of 1 of the traffic that names no label\n"
    done = run(store, "label", "toy:2", "canary", "--shadow", "5%", "--share", "5%")
    assert "give canary a share or a shadow, not both" in done.stderr
    assert read_shadow("1") == 1


def test_what_became_of_a_canary_is_told(store: Path) -> None:
    for number, label in ((1, "stable"), (2, "canary")):
        run(store, "label", f"toy:{number}", label)
    assert "verdict" not in run(store, "list", "toy").output
    labels = Store(store).labels("toy")
    verdict = Verdict(
        label="canary",
        version=2,
        stable=1,
        outcome="rolled_back",
        at=NOON,
        why="it flips",
        figures={"flips": 9},
    )
    since = tuple(labels.history(label)[-1].since for label in ("canary", "stable"))
    assert conclude(Store(store), "toy", verdict, since=since)
    assert [row["verdict"] for row in ask(store, "list", "toy")] == ["rolled back", None]
    assert "rolled back" in run(store, "list", "toy").output
    (told,) = ask(store, "show", "toy:2")["verdicts"]
    assert (told["why"], told["figures"]) == ("it flips", {"flips": 9})
    assert "it flips" in run(store, "show", "toy:2").output
    assert ask(store, "show", "toy:1")["verdicts"] == []

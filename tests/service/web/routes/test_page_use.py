"""What somebody sees who uses the page: changes the model, gives keys, follows a turn."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from service.web.routes.page import FOLDER

NODE = shutil.which("node")
pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not installed"),
    pytest.mark.e2e,  # a process each
    pytest.mark.medium,
]
USE = Path(__file__).resolve().parents[1] / "use_page.mjs"
SHOWN = {"status": "connected", "hidden": True}


def use(folder: Path, scenario: str, given: str = "") -> dict[str, Any]:
    """Return what was seen in a scenario."""
    scripts = shutil.copytree(FOLDER, folder / "page")
    (scripts / "package.json").write_text('{"type": "module"}')
    command = [str(NODE), str(USE), str(scripts), scenario, given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_is_shown_is_of_the_chosen_model(tmp_path: Path) -> None:
    seen = use(tmp_path, "switch")
    assert seen == {"label": "lstm:1", "count": "2,000 tokens read.", "last": "lstm"}


def test_nothing_of_another_model_stands_under_the_name_of_one_that_fails(tmp_path: Path) -> None:
    assert use(tmp_path, "fail") == {
        "before": "gru:1",
        "status": "lstm:1 could not be loaded",
        "label": "\u00a0",
        "bars": 0,
        "words": 0,
    }


@pytest.mark.parametrize(
    ("models", "chosen"),
    [
        ([{"name": "a", "version_labels": {"stable": 1}, "versions": [[2, {}], [1, {}]]}], "a:1"),
        ([{"name": "a", "versions": [[2, {"state": "failed"}], [1, {}]]}], "a:1"),
        ([{"name": "a", "versions": [[2, {"streamable": False}], [1, {}]]}], "a:1"),
        (
            [
                {"name": "a", "versions": [[1, {}]]},
                {"name": "b", "default": True, "versions": [[3, {"state": "failed"}], [2, {}]]},
            ],
            "b:2",
        ),
    ],
    ids=["stable", "the newest failed", "the newest reads whole texts", "the default"],
)
def test_the_page_begins_with_the_version_that_answers(
    models: list[object], chosen: str, tmp_path: Path
) -> None:
    assert use(tmp_path, "offer", json.dumps(models))["chosen"] == [chosen]


@pytest.mark.parametrize("stored", ["Bearer gw_1_right", "gw_1_\N{EN DASH}", '"gw_1_right"'])
def test_a_stored_key_that_is_none_is_asked_for(stored: str, tmp_path: Path) -> None:
    seen = use(tmp_path, "stored", stored)
    assert seen == {"status": "this API key is not valid", "hidden": False}


@pytest.mark.parametrize("given", ["gw_1_right", " Bearer gw_1_right\n", "bearer  gw_1_right"])
def test_a_key_may_be_pasted_as_a_header_has_it(given: str, tmp_path: Path) -> None:
    assert use(tmp_path, "given", given) == {**SHOWN, "kept": "gw_1_right"}


@pytest.mark.parametrize("given", ["gw_1_right twice", "gw_1_\N{EN DASH}", " "])
def test_what_is_no_key_is_not_kept(given: str, tmp_path: Path) -> None:
    seen = use(tmp_path, "given", given)
    assert seen["status"].startswith("This is no API key")
    assert (seen["hidden"], seen["kept"]) == (False, None)


def test_a_key_that_is_revoked_is_asked_for_again(tmp_path: Path) -> None:
    seen = use(tmp_path, "revoked")
    assert seen["before"] is True
    assert seen["refused"] == {"status": "this API key is not valid", "hidden": False}
    assert (seen["after"], seen["label"]) == (SHOWN, "toy:1")


def test_a_turn_is_found_after_an_edit_before_it(tmp_path: Path) -> None:
    seen = use(tmp_path, "turns")
    assert (seen["first"], seen["second"]) == ("bad", "bad")
    assert seen["buttons"] == "The verdict turns here: “bad”: pos → neg"

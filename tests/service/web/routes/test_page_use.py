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


def test_a_turn_is_found_after_an_edit_before_it(tmp_path: Path) -> None:
    seen = use(tmp_path, "turns")
    assert (seen["first"], seen["second"]) == ("bad", "bad")
    assert seen["buttons"] == "The verdict turns here: “bad”: pos → neg"

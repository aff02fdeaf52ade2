"""The page shows the winner whatever the labels are called, in a document that is made up."""

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
]
SHOW = Path(__file__).resolve().parents[1] / "show_page.mjs"


def show(folder: Path, probabilities: dict[str, float], **more: Any) -> dict[str, Any]:
    """Return what the page shows of a prediction, its probabilities highest first."""
    scripts = shutil.copytree(FOLDER, folder / "page", dirs_exist_ok=True)
    (scripts / "package.json").write_text('{"type": "module"}')
    order = sorted(probabilities)
    answer = {"probabilities": probabilities, "order": order} | more
    if not {"label", "labels"} & set(more):
        answer["label"] = next(iter(probabilities))
    command = [str(NODE), str(SHOW), str(scripts), json.dumps(answer)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "labels",
    [
        [str(number) for number in range(9, -1, -1)],  # the winner is the last in JavaScript
        ["4.5", "1.5", "10", "2", "1", "0", "3", "7", "8", "9"],
        ["2024", "other", "1", "2", "3", "4", "5", "6", "7", "8"],
        ["constructor", "__proto__", "toString", "1", "hasOwnProperty"],
        ["__proto__", "1", "0"],
        ["pos", "neg"],
    ],
)
def test_the_winner_is_shown_first(labels: list[str], tmp_path: Path) -> None:
    total = len(labels) * (len(labels) + 1) / 2
    shares = {label: (len(labels) - n) / total for n, label in enumerate(labels)}
    shown = show(tmp_path, shares)
    assert shown["label"] == labels[0]
    assert [name for name, _ in shown["bars"]] == labels[:7]
    assert shown["bars"][0][1] == f"{100 * shares[labels[0]]:.1f} %"
    assert len(shown["curves"]) == min(3, len(labels))


@pytest.mark.parametrize(("label", "visible"), [("", "“”"), (" ", "“ ”"), ("a b", "a b")])
def test_a_blank_label_can_be_seen(label: str, visible: str, tmp_path: Path) -> None:
    shown = show(tmp_path, {label: 0.75, "1": 0.25})
    assert shown["label"] == visible
    assert [name for name, _ in shown["bars"]] == [visible, "1"]


@pytest.mark.parametrize(("labels", "told"), [(["2", "1"], "2, 1"), ([], "no label"), ([""], "“”")])
def test_several_labels_are_shown(labels: list[str], told: str, tmp_path: Path) -> None:
    shown = show(tmp_path, {"2": 0.9, "1": 0.8, "": 0.3}, labels=labels)
    assert shown["label"] == told


def test_a_label_is_shown_that_is_not_likely(tmp_path: Path) -> None:
    shares = {str(n): (8 - n) / 36 for n in range(8)}
    thresholds = {label: 0.01 if label == "7" else 1.0 for label in shares}
    shown = show(tmp_path, shares, label="7", thresholds=thresholds)
    assert shown["label"] == "7"
    assert [name for name, _ in shown["bars"]] == ["0", "1", "2", "3", "4", "5", "7"]
    hues = [curve["class"] for curve in shown["curves"]]
    assert hues[1:] == [curve["class"] for curve in show(tmp_path / "likely", shares)["curves"]][:2]
    assert hues[0] not in hues[1:]


def test_the_socket_is_below_the_base(tmp_path: Path) -> None:
    assert show(tmp_path, {"1": 0.75, "0": 0.25})["asked"] == ["ws://service/below/stream"]


@pytest.mark.parametrize("label", ["إيجابي", "חיובי", "pos"])
def test_labels_that_run_from_the_right_are_shown(label: str, tmp_path: Path) -> None:
    shown = show(tmp_path, {label: 0.75, "neg": 0.25})
    assert shown["label"] == label
    assert [name for name, _ in shown["bars"]] == [label, "neg"]

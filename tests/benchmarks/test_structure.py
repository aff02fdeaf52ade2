"""The import graph of a made checkout, counted by hand."""

import itertools
from pathlib import Path

import pytest

from benchmarks.structure.__main__ import list_faults, write_table
from benchmarks.structure.imports import Kind, read_imports
from benchmarks.structure.places import ROW, place_rooms
from benchmarks.structure.plan import SMALL, Plan, implied, plan_views

LONG = "x = 1\n" * SMALL
TREE = {
    "client.py": LONG,
    "a/__init__.py": "from a.low import f\n",
    "a/top.py": "import a.middle\nfrom a import f, low\nfrom a.part.deep import h\n",
    "a/middle.py": "def g():\n    from a.low import f\n    return f\n",
    "a/low.py": "def f(): ...\n",
    "a/alone.py": LONG,
    "a/short.py": "x = 1\n",
    "a/part/__init__.py": "",
    "a/part/deep.py": "from ..low import f\ndef h(): ...\n",
    "b/one.py": "from b.two import g\nfrom a.low import f\n",
    "b/two.py": "from b import three\ndef g(): ...\n",
    "b/three.py": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from b.one import x\nelse:\n"
        "    import b.two\n"
    ),
    "b/page/page.js": "let x\n" * SMALL,
    "b/tests/test_one.py": "import a.low\n",
    ".hidden/file.py": LONG,
    "venv/pyvenv.cfg": "",
    "venv/file.py": LONG,
}


@pytest.fixture
def plans(tmp_path: Path) -> dict[str, Plan]:
    for name, text in TREE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    views = plan_views(read_imports(tmp_path), ["a/", "b/"])
    return {plan.view: plan for plan in views}


def test_rooms_stand_above_what_they_import(plans: dict[str, Plan]) -> None:
    floors = {"a/low.py": 1, "a/alone.py": 1, "a/middle.py": 2, "a/part/": 2, "a/top.py": 3}
    assert plans["a/"].floors == floors
    assert plans["repository, a/ opened"].floors == {"client.py": 1, "b/": 2, **floors}


def test_a_name_from_a_package_leads_to_the_file_that_has_it(plans: dict[str, Plan]) -> None:
    arrows = plans["a/"].arrows
    assert set(arrows) == {
        ("a/top.py", "a/middle.py"),
        ("a/top.py", "a/low.py"),
        ("a/top.py", "a/part/"),
        ("a/middle.py", "a/low.py"),
        ("a/part/", "a/low.py"),
    }
    assert arrows["a/top.py", "a/low.py"].names == {"f", "low"}


def test_imports_that_bind_less_are_told_apart(plans: dict[str, Plan]) -> None:
    assert [plans["a/"].count(kind) for kind in Kind] == [4, 1, 0]
    assert [plans["b/"].count(kind) for kind in Kind] == [3, 0, 1]


def test_the_fewest_arrows_that_open_a_circle_point_upwards(plans: dict[str, Plan]) -> None:
    plan = plans["b/"]
    assert plan.circles == [["b/one.py", "b/three.py", "b/two.py"]]
    # One arrow of two → three → two must go, and its loss must open one → two → three → one too.
    assert plan.upwards == {("b/two.py", "b/three.py")}
    assert plan.floors == {"b/two.py": 1, "b/one.py": 2, "b/three.py": 3, "b/page/": 1}


def test_a_folder_hides_no_circle(plans: dict[str, Plan]) -> None:
    plan = plans["repository, a/ opened"]
    assert plan.circles == plans["b/"].circles
    assert not plan.upwards


def test_arrows_beside_a_longer_way_are_implied() -> None:
    ways = {("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")}
    assert implied(ways) == {("a", "c")}


def test_figures_of_two_checkouts_stand_in_one_table(plans: dict[str, Plan]) -> None:
    before, after = plans["b/"], plans["a/"]
    lines = write_table([[before], [after]]).splitlines()
    assert lines[2] == "| b/ | 4 → 5 | 3 → 3 | 4 → 5 | 0 → 1 | 1 → 0 | 1 → 0 | 1 → 0 |"


def test_faults_name_files(plans: dict[str, Plan]) -> None:
    assert list_faults(list(plans.values()), name="today") == [
        "- circle, today: b/one.py, b/three.py, b/two.py",
        "- upwards, today, b/: b/two.py → b/three.py",
    ]


def test_boxes_stay_on_the_paper_and_apart(plans: dict[str, Plan]) -> None:
    plan = plans["repository, a/ opened"]
    places = place_rooms(plan, width=100, measure=lambda room: 40)
    assert set(places.boxes) == set(plan.floors)
    for box in places.boxes.values():
        assert box.left >= 0
        assert box.left + box.width <= 100
        assert box.bottom + ROW <= places.height
    for one, other in itertools.combinations(places.boxes.values(), 2):
        beside = abs(one.left - other.left) >= 40
        assert beside or abs(one.bottom - other.bottom) >= ROW
    for start, end in plan.arrows:
        assert places.boxes[start].bottom > places.boxes[end].bottom

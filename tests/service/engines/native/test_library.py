from pathlib import Path

import pytest

from service.engines.native import library as module
from service.engines.native.library import Library, find_library, supported
from service.engines.protocol import EngineUnavailable


def test_the_best_of_this_processor_is_taken(library: Library) -> None:
    best = supported()[0]
    assert f"-{best}-" in library.path.name
    assert find_library("portable").lanes == 4


def test_one_that_is_not_compiled_is_passed_over(library: Library, monkeypatch) -> None:
    compiled = module.library_path
    best = supported()[0]
    monkeypatch.setattr(
        module, "library_path", lambda name: Path("none") if name == best else compiled(name)
    )
    expected = next(name for name in (*supported(), "none") if name != best)
    if expected == "none":
        pytest.skip("this processor has only one")
    assert f"-{expected}-" in find_library().path.name


def test_without_one_it_is_told_what_makes_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "library_path", lambda _: tmp_path / "none")
    with pytest.raises(EngineUnavailable, match="python -m service.engines.native does that"):
        find_library()


def test_one_of_another_system_is_told(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "other.so"
    path.write_bytes(b"\x7fELF of another system")
    monkeypatch.setattr(module, "library_path", lambda _: path)
    with pytest.raises(EngineUnavailable, match=r"other.so cannot be loaded"):
        find_library()

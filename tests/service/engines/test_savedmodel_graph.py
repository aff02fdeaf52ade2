"""Which graphs TensorFlow is not given. The exports of all cells are, in tests/contract."""

from pathlib import Path

import pytest

from models.errors import VersionCorrupt
from models.registry import Store
from models.versions import SAVED_MODEL
from service.engines.savedmodel_graph import check_graph
from tests.protobuf import content, number

STORE = Store(Path(__file__).parents[3] / "models" / "store")
MODELS = ["imdb-gru", "imdb-lstm"]


def node(operator: str, *, calls: str = "") -> bytes:
    function = content(5, content(1, b"f") + content(2, content(10, content(1, calls.encode()))))
    return content(2, operator.encode()) + (function if calls else b"")


def function(name: str, *nodes: bytes) -> bytes:
    return content(1, content(1, name.encode())) + b"".join(content(3, each) for each in nodes)


def make_folder(root: Path, *functions: bytes, main: bytes = b"", objects: bytes = b"o") -> Path:
    library = content(2, b"".join(content(1, each) for each in functions))
    graph = content(2, (content(1, main) if main else b"") + library)
    whole = number(1, 1) + content(2, graph + (content(7, objects) if objects else b""))
    (root / SAVED_MODEL).write_bytes(whole)
    return root


COMPUTES = function("__inference_step_1", node("MatMul"), node("While", calls="body_1"))
SAVES = function("__inference__traced_save_2", node("SaveV2"), node("Const"))


@pytest.mark.parametrize("model", MODELS)
def test_what_is_shipped_is_taken(model: str) -> None:
    check_graph(STORE.resolve(model).path)


def test_computing_and_saving_are_taken(tmp_path: Path) -> None:
    saver = node("StatefulPartitionedCall", calls="__inference__traced_save_2")
    check_graph(make_folder(tmp_path, COMPUTES, SAVES, main=saver))


REFUSED = {
    "reads a file": ([function("f", node("ReadFile"))], "found ReadFile"),
    "runs Python": ([function("f", node("EagerPyFunc"))], "found EagerPyFunc"),
    "restores": ([function("f", node("RestoreV2"))], "found RestoreV2"),
    "calls a saver": (
        [SAVES, function("f", node("While", calls="__inference__traced_save_2"))],
        "a function that saves or restores",
    ),
    "is called a saver too": (
        [function("__inference__traced_save_2", node("ReadFile"))],
        "found ReadFile",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_function_that_does_more_is_refused(case: str, tmp_path: Path) -> None:
    functions, found = REFUSED[case]
    with pytest.raises(VersionCorrupt, match=found):
        check_graph(make_folder(tmp_path, COMPUTES, *functions))


def test_the_main_graph_computes_too(tmp_path: Path) -> None:
    with pytest.raises(VersionCorrupt, match="found WriteFile"):
        check_graph(make_folder(tmp_path, COMPUTES, main=node("WriteFile")))


def test_a_signature_that_saves_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VersionCorrupt, match="a signature that saves"):
        check_graph(make_folder(tmp_path, SAVES, objects=b"__inference__traced_save_2"))


def test_a_graph_that_is_run_at_once_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VersionCorrupt, match="a graph of TensorFlow 1"):
        check_graph(make_folder(tmp_path, COMPUTES, objects=b""))


@pytest.mark.parametrize("name", ["saved_model.cpb", "saved_model.pbtxt"])
def test_another_form_of_the_graph_is_refused(tmp_path: Path, name: str) -> None:
    folder = make_folder(tmp_path, COMPUTES)
    (folder / name).touch()
    with pytest.raises(VersionCorrupt, match=r"expected saved_model\.pb alone"):
        check_graph(folder)


@pytest.mark.parametrize("damaged", [b"", b"\xff" * 9, b"\x12\x02\x0a\x05", b"\x10\x01"])
def test_what_is_no_graph_is_refused(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / SAVED_MODEL).write_bytes(damaged)
    with pytest.raises(VersionCorrupt, match=r"saved_model\.pb"):
        check_graph(tmp_path)

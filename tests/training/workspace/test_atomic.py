import json

import numpy as np
import pytest

from training.workspace.atomic import save_arrays, save_json


def test_what_was_saved_is_read_back_and_nothing_else_is_left(tmp_path) -> None:
    save_json({"rows": 3, "name": "naïve"}, path=tmp_path / "new" / "note.json")
    save_arrays({"a": np.arange(3)}, path=tmp_path / "new" / "arrays.npz")
    assert json.loads((tmp_path / "new" / "note.json").read_text()) == {"rows": 3, "name": "naïve"}
    with np.load(tmp_path / "new" / "arrays.npz") as arrays:
        assert arrays["a"].tolist() == [0, 1, 2]
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_what_was_there_stays_where_writing_fails(tmp_path) -> None:
    note = tmp_path / "note.json"
    save_json([1], path=note)
    with pytest.raises(TypeError):
        save_json(object(), path=note)
    assert json.loads(note.read_text()) == [1]

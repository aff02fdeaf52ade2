"""The notebook runs from its first cell to its last, and shows what it says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[1] / "examples" / "tour.ipynb"
RUN = "from nbclient.cli import main; main()"


def test_it_is_kept_without_what_it_shows() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert all(cell["outputs"] == [] for cell in cells if cell["cell_type"] == "code")
    assert all(cell.get("execution_count") is None for cell in cells)


@pytest.mark.tensorflow
@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.unmeasured
def test_it_runs(tmp_path: Path) -> None:
    ran = tmp_path / "ran.ipynb"
    local = {"TMPDIR": str(tmp_path), "JUPYTER_ALLOW_INSECURE_WRITES": "1"}
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(NOTEBOOK), f"--output={ran.with_suffix('')}"],
        env=os.environ | local,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    shown = [text for text in map(read_output, json.loads(ran.read_text())["cells"]) if text]
    assert any("published tour:1" in text for text in shown)
    assert any('name = "tour"' in text for text in shown)
    (answers,) = (text for text in shown if "The staff smiled all day." in text)
    assert [line.split()[0] for line in answers.splitlines()] == ["praise", "complaint", "question"]
    (course,) = (text for text in shown if "my money back." in text)
    assert course.splitlines()[-1].split()[0] == "complaint"
    assert sum("image" in text for text in shown) == 2


def read_output(cell: dict) -> str:
    """Return the text that a cell shows, and "image" for each image."""
    parts = []
    for output in cell.get("outputs", ()):
        assert output["output_type"] != "error", output
        parts += output.get("text", ())
        parts += ["image"] * ("image/png" in output.get("data", {}))
    return "".join(parts)

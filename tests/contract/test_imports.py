"""Holds the import rules: who may know of whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVER = {"fastapi", "fastapi_offline", "starlette", "uvicorn"}
TRAINER = {
    *("tensorflow", "keras", "datasets", "tokenizers", "onnx", "huggingface_hub"),
    *("sklearn", "scipy", "pandas", "pyarrow", "matplotlib", "jinja2"),
    *("mlflow", "optuna"),
}
FORBIDDEN = {
    "models": SERVER | TRAINER | {"onnxruntime", "service", "training"},
    "training": SERVER | {"service"},
    "service": TRAINER | {"training"},
}
# The one file that may use each in the service, inside the functions that need it.
ALLOWED = {
    ("service/engines/savedmodel.py", "tensorflow"),
    ("service/scoring/formats.py", "pyarrow"),
}


def modules_of(path: Path, *, top_level_only: bool = False) -> set[str]:
    """Return the modules that a file imports, or imports names from."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imports_of(path: Path, *, top_level_only: bool = False) -> set[str]:
    modules = modules_of(path, top_level_only=top_level_only)
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_keep_to_their_side(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert len(files) > 5
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        broken = imports_of(path) & FORBIDDEN[package]
        assert {module for module in broken if (name, module) not in ALLOWED} == set(), name


def test_engines_are_imported_when_they_are_chosen() -> None:
    for path in (ROOT / "service").rglob("*.py"):
        if path.name not in ("onnx.py", "savedmodel.py"):
            assert "onnxruntime" not in imports_of(path), path
    for name, module in ALLOWED:
        assert module not in imports_of(ROOT / name, top_level_only=True), name


def test_a_fit_knows_no_terminal_and_no_tracker() -> None:
    shown = ("rich", "typer", "mlflow", "training.console", "training.tracking")
    files = sorted((ROOT / "training" / "fitting").rglob("*.py"))
    assert len(files) > 5
    for path in files:
        modules = modules_of(path)
        broken = [m for m in modules for name in shown if m == name or m.startswith(f"{name}.")]
        assert not broken, path
        assert "tf.summary" not in path.read_text(), path


@pytest.mark.parametrize("package", FORBIDDEN)
def test_there_is_no_drawer_for_odds_and_ends(package: str) -> None:
    names = {path.stem for path in (ROOT / package).rglob("*")}
    assert names & {"utils", "util", "common", "helpers", "helper", "misc"} == set()


@pytest.mark.parametrize(
    "module", ["models.versions", "service.web.app", "service.replay", "training.__main__"]
)
def test_importing_starts_nothing(module: str) -> None:
    code = (
        f"import sys, {module}\n"
        "heavy = {'tensorflow', 'keras', 'onnxruntime', 'datasets', 'torch', 'sklearn', 'scipy',\n"
        "    'matplotlib', 'pandas', 'mlflow', 'optuna'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import datasets
import pytest


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what the datasets library caches away from what people have."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "huggingface")


@pytest.fixture
def eager() -> Iterator[None]:
    """Let nothing be traced, which takes longer than small fits; tests of processes do trace."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def run_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that does in this process, and so sooner, what `run_command` does."""
    from training import __main__ as command

    def run_here(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["training", *arguments])
        monkeypatch.setattr(command, "_handle_signals", lambda: None)
        with pytest.raises(SystemExit) as caught:
            command.run_app()
        return subprocess.CompletedProcess([], int(caught.value.code or 0), *capsys.readouterr())

    return run_here

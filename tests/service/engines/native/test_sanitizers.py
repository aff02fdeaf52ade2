"""The C code steps on no memory but its own; the long form is the command of sanitizers.py."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.service.engines.native.sanitizers import (
    compile_sanitized,
    fuzz,
    run_python,
    why_not,
)

pytestmark = [
    pytest.mark.e2e,  # sanitizers must be loaded before Python is
    pytest.mark.slow,
    pytest.mark.timeout(900),  # where the cores have other work
]
CALLS = 800

ONE_LABEL_TOO_MANY = """
import sys
from pathlib import Path
import numpy as np
from service.engines.native.library import Library
from tests.service.engines.native.fuzz.__main__ import LONG_SHAPES
from tests.service.engines.native.fuzz.batches import draw_long_batch
from tests.service.engines.native.fuzz.memory import ExactMemory
from tests.service.engines.native.fuzz.reading import read
from tests.service.engines.native.fuzz.subjects import Subject

random = np.random.default_rng(0)
with ExactMemory() as memory:
    subject = Subject.make(LONG_SHAPES[0], library=Library(Path(sys.argv[1])), memory=memory)
    batch = draw_long_batch(random, subject, tokens=9)
    read(subject, batch)
    sys.stdout.write("so far it is sound")
    sys.stdout.flush()
    subject.model.struct.labels += 1
    read(subject, batch)
"""


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    return compile_sanitized(tmp_path_factory.mktemp("sanitized"))


def test_calls_at_random_do_no_harm(libraries: dict[str, Path]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(lambda path: fuzz(path, calls=CALLS, seed=1), libraries.values()))
    assert {"portable", "plain"} <= libraries.keys()
    assert done[0]["calls"] >= CALLS
    assert min(done[0]["hostile"], done[0]["refused"], done[0]["encoded"]) > 0
    assert len({each["digest"] for each in done}) == 1  # of all bits


def test_a_step_beyond_is_seen(libraries: dict[str, Path]) -> None:
    done = run_python("-c", ONE_LABEL_TOO_MANY, str(libraries["portable"]))
    assert done.stdout == "so far it is sound"
    assert done.returncode != 0
    assert "AddressSanitizer: heap-buffer-overflow" in done.stderr

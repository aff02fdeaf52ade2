"""Keeps TensorFlow's start-up notices, which say nothing to a user, off the screen."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back what is written to standard error; let it through if importing fails.

    The notices come from C++ before any log level is read, so the descriptor itself is redirected.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what matters is raised as an exception
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(original, held.read())
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)

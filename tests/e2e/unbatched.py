"""The service without what makes it fast: `python -m tests.e2e.unbatched` in place of `service`.

The workers import this module too, so all of them are without.
"""

import runpy
from collections.abc import Sequence

from service.scheduling import inline, scheduler, slices
from service.scheduling.jobs import Job
from service.web import app


def _plan_alone(candidates: Sequence[Job]) -> tuple[list[Job], int]:
    return slices.plan_slice(candidates[:1])


def read_each_text_alone() -> None:
    """Let no text share a slice, none be read in the event loop, and no request pass FastAPI by."""
    scheduler.plan_slice = _plan_alone  # type: ignore[assignment]
    inline.InlineBatches.takes = lambda *_: False  # type: ignore[method-assign]
    app.DirectRoutes = lambda within, **_: within  # type: ignore[assignment, misc]


if __name__ in ("__main__", "__mp_main__"):
    read_each_text_alone()

if __name__ == "__main__":
    runpy.run_module("service", run_name="__main__")

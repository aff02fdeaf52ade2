from collections.abc import Iterator

import pytest

from service.metrics import Metrics
from service.scheduling import inline
from service.scheduling.scheduler import Scheduler


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let threads compute whatever the event loop would compute itself."""
    monkeypatch.setattr(inline, "LONGEST", 0)


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    scheduler = Scheduler(threads=1, metrics=Metrics())
    scheduler.start()
    yield scheduler
    scheduler.shutdown()

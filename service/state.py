"""What the requests of one application share."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from service.catalog import Catalog
from service.metrics import Metrics
from service.scheduler import Scheduler
from service.settings import Settings
from service.streams.seal import Seal
from service.tokenizing import TokenizerThread

LENIENCE = 10  # times as long as it needs alone may a request take that sets no deadline


@dataclass
class ServiceState:
    """Settings, models, threads and metrics; `draining` once the service is to end."""

    settings: Settings
    catalog: Catalog
    metrics: Metrics
    tokenizer: TokenizerThread
    scheduler: Scheduler
    seal: Seal
    draining: bool = False

    def patience(self, seconds: float) -> float:
        """Return how long a request may take that needs so many seconds and sets no deadline."""
        return max(self.settings.deadline_ms / 1e3, LENIENCE * seconds)


def get_state(request: Request) -> ServiceState:
    """Return the state of the application that the request came to."""
    state: ServiceState = request.app.state.service
    return state


StateDep = Annotated[ServiceState, Depends(get_state)]

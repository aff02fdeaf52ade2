"""What the requests of one application share."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from service.catalog import Catalog
from service.metrics import Metrics
from service.scheduler import Scheduler
from service.settings import Settings
from service.tokenizing import TokenizerThread


@dataclass
class ServiceState:
    """Settings, models, threads and metrics; `draining` once the service is to end."""

    settings: Settings
    catalog: Catalog
    metrics: Metrics
    tokenizer: TokenizerThread
    scheduler: Scheduler
    draining: bool = False


def get_state(request: Request) -> ServiceState:
    """Return the state of the application that the request came to."""
    state: ServiceState = request.app.state.service
    return state


StateDep = Annotated[ServiceState, Depends(get_state)]

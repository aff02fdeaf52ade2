"""What the requests of one application share."""

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from service.catalog import Catalog
from service.metrics import Metrics
from service.settings import Settings


@dataclass
class ServiceState:
    """Settings, models, worker threads and metrics; `draining` once the service is to end."""

    settings: Settings
    catalog: Catalog
    metrics: Metrics
    workers: Executor
    draining: bool = False


def get_state(request: Request) -> ServiceState:
    """Return the state of the application that the request came to."""
    state: ServiceState = request.app.state.service
    return state


StateDep = Annotated[ServiceState, Depends(get_state)]

"""What the requests of one application share."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.types import Scope

from models.registry import Store
from service.answering.answerer import Answerer
from service.answering.catalog import Catalog
from service.answering.tokenizing import TokenizerThread
from service.metrics import Metrics
from service.rollout.rollouts import Rollouts
from service.scheduling.scheduler import Scheduler
from service.settings import Settings
from service.streams.state_token import StateTokens
from service.web.access.key_ring import KeyRing
from service.web.access.rates import Buckets
from service.web.body_bytes import BodyBytes
from service.web.tracing import Tracing

_PLACE = "gatewise.service"  # in the scope of a request


@dataclass
class ServiceState:
    """Settings, store, models, threads, metrics and keys; `draining` once the service is to end.

    `bodies` is the memory for bodies that are on their way.
    """

    settings: Settings
    store: Store
    catalog: Catalog
    metrics: Metrics
    tokenizer: TokenizerThread
    scheduler: Scheduler
    answerer: Answerer
    rollouts: Rollouts
    state_tokens: StateTokens
    key_ring: KeyRing | None
    buckets: Buckets
    bodies: BodyBytes
    tracing: Tracing | None = None
    draining: bool = False

    def shutdown(self) -> None:
        """End the threads, after what they are at, and send the last traces."""
        self.rollouts.shutdown()
        self.tokenizer.shutdown()
        self.scheduler.shutdown()
        if self.tracing is not None:
            self.tracing.shutdown()


def note_state(scope: Scope, state: ServiceState) -> None:
    """Note the state of the application that a request comes to."""
    scope[_PLACE] = state


def get_state(connection: HTTPConnection) -> ServiceState:
    """Return the state of the application that a request or a WebSocket came to."""
    state: ServiceState = connection.scope[_PLACE]
    return state


StateDep = Annotated[ServiceState, Depends(get_state)]

"""What the requests of one application share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Receive

from service.answering.catalog import Catalog
from service.answering.classifier import Classifier
from service.answering.tokenizing import TokenizerThread
from service.metrics import Metrics
from service.scheduling.jobs import Reading, Ticket
from service.scheduling.scheduler import Scheduler
from service.settings import Settings
from service.streams.state_token import Seal

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

    async def compute(
        self,
        classifier: Classifier,
        readings: Sequence[Reading],
        *,
        started: float,
        asked: float | None,
        receive: Receive | None,
    ) -> Ticket:
        """Have readings computed, and count them.

        Args:
            classifier: What computes.
            readings: What is to be read, one text at least.
            started: When the request came, on the clock `time.monotonic`.
            asked: Seconds from then that the client will wait; None if it did not say.
            receive: Says when the client is gone; None if there is no telling.

        Raises:
            ServiceError: There is too much to do, or not enough time.
        """
        needed = sum(reading.seconds(classifier.cost) for reading in readings)
        deadline = started + (asked or self.patience(needed))
        ticket = await self.scheduler.compute(
            classifier, readings, deadline=deadline, receive=receive
        )
        self.metrics.count(ticket)
        return ticket


def get_state(request: Request) -> ServiceState:
    """Return the state of the application that the request came to."""
    state: ServiceState = request.app.state.service
    return state


StateDep = Annotated[ServiceState, Depends(get_state)]

"""Reads a stream on, piece by piece."""

import time
from dataclasses import dataclass

import numpy as np
from starlette.types import Receive

from service.classifier import Classifier
from service.schemas import MultiLabelPrediction, Prediction
from service.state import ServiceState
from service.streams.position import Position, join_pieces
from service.work import Reading


@dataclass(frozen=True)
class Read:
    """What is known after a piece.

    Args:
        prediction: Of the text so far, as if it ended here.
        position: From which the next piece is read.
    """

    prediction: Prediction | MultiLabelPrediction
    position: Position


async def read_piece(
    service: ServiceState,
    classifier: Classifier,
    position: Position,
    piece: str,
    *,
    top_k: int | None = None,
    deadline: float | None = None,
    receive: Receive | None = None,
) -> Read:
    """Return what is known after a piece.

    What a later piece may still change is read for the prediction, not for the position.

    Args:
        service: What computes.
        classifier: Of a streamable version.
        position: Where the stream has got.
        piece: The text that comes next.
        top_k: Number of probabilities to give; None for all.
        deadline: Seconds from now; the service's own if absent.
        receive: Says when the client is gone; None if there is no telling.

    Raises:
        ServiceError: The piece is no text, or cannot be read in time.
    """
    started = time.monotonic()
    text, half = join_pieces(position.held, piece)
    closed, held = classifier.split_open(text)
    read, ahead = await service.tokenizer.encode(classifier, [closed, held])
    ids = np.concatenate([read, ahead]).astype(np.int32)
    reading = Reading(ids, position.state, stops=[len(read)] if len(read) else [])
    patience = deadline or service.patience(classifier.cost.seconds(len(ids)))
    ticket = await service.scheduler.compute(
        classifier, [reading], deadline=started + patience, receive=receive
    )
    result = ticket.results[0]
    if isinstance(result, Exception):
        raise result
    service.metrics.count(ticket)
    tokens = position.tokens + len(ids)
    prediction = classifier.describe(result, tokens=tokens, top_k=top_k)
    after = Position(ticket.jobs[0].stopped, held + half, position.tokens + len(read))
    return Read(prediction, after)

"""Reads a stream on, piece by piece."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from starlette.types import Receive

from models.golden import Probabilities
from models.odds import log_odds
from service.answering.classifier import Classifier
from service.insight.explanation import check_length
from service.scheduling.jobs import Reading
from service.streams.position import Position, join_pieces
from service.web.schemas import Answer, Step
from service.web.state import ServiceState


@dataclass(frozen=True)
class Wanted:
    """What to say of a piece.

    Args:
        top_k: Number of probabilities to give; None for all.
        explain: Whether to say how the verdict stands after each token.
        gates: Whether to say there how far the gates open too.
    """

    top_k: int | None = None
    explain: bool = False
    gates: bool = False


@dataclass(frozen=True)
class Read:
    """What is known after a piece.

    Args:
        prediction: Of the text so far, as if it ended here.
        position: From which the next piece is read.
        steps: How the verdict stood after each token of the piece, where asked for.
    """

    prediction: Answer
    position: Position
    steps: list[Step] | None


async def read_piece(
    service: ServiceState,
    classifier: Classifier,
    position: Position,
    piece: str,
    *,
    wanted: Wanted,
    final: bool = False,
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
        wanted: What to say of it.
        final: Whether nothing comes after it.
        deadline: Seconds from now; the service's own if absent.
        receive: Says when the client is gone; None if there is no telling.

    Raises:
        ServiceError: The piece is no text, or cannot be read in time.
    """
    started = time.monotonic()
    text, half = join_pieces(position.held, piece, final=final)
    closed, held = classifier.split_open(text)
    read, ahead = await service.tokenizer.encode(classifier, [closed, held])
    ids = np.concatenate([read, ahead]).astype(np.int32)
    if wanted.explain:
        check_length(len(ids), "prefix")
    stops = range(1, len(ids) + 1) if wanted.explain else [len(read)] if len(read) else []
    reading = Reading(ids, position.state, stops=stops, keep=len(read))
    ticket = await service.compute(
        classifier, [reading], started=started, asked=deadline, receive=receive
    )
    result = ticket.result(0)
    tokens = position.tokens + len(ids)
    prediction = classifier.describe(result, tokens=tokens, top_k=wanted.top_k)
    job = ticket.jobs[0]
    characters = position.characters + len(closed)
    after = Position(job.kept, held + half, position.tokens + len(read), characters)
    if not wanted.explain:
        return Read(prediction, after, None)
    steps = _describe_steps(classifier, position, (closed, held), job.seen)
    if wanted.gates:
        _, means = await asyncio.to_thread(classifier.layers.read, ids, position.state)
        for step, at in zip(steps, means, strict=True):
            step.gates = at
    return Read(prediction, after, steps)


def _describe_steps(
    classifier: Classifier,
    position: Position,
    parts: tuple[str, str],
    seen: Sequence[Probabilities],
) -> list[Step]:
    """Return how the verdict stood after each token of what is read and what is held."""
    metadata = classifier.metadata
    start = position.characters
    spans = []
    for part, held in zip(parts, (False, True), strict=True):
        _, offsets = classifier.encode_with_offsets(part)
        spans += [(start + first, start + last, held) for first, last in offsets]
        start += len(part)
    rows = np.stack([*seen]) if seen else np.empty((0, len(metadata.labels)), np.float32)
    odds = [log_odds(rows, n, task=metadata.task) for n in range(len(metadata.labels))]
    return [
        Step(start=first, end=last, held=held, log_odds=dict(zip(metadata.labels, of, strict=True)))
        for (first, last, held), of in zip(spans, np.stack(odds, axis=1).tolist(), strict=True)
    ]

"""Reads a stream on, piece by piece."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.batching import Row
from models.decisions import log_odds
from models.golden import Probabilities
from service.answering.answerer import Answerer, Caller, Stages
from service.answering.classifier import Classifier
from service.answering.prediction import Answer, Step
from service.scheduling.jobs import Reading
from service.streams.position import Position, join_pieces
from service.texts import check_tokens


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
        stages: What took how long.
    """

    prediction: Answer
    position: Position
    steps: list[Step] | None
    stages: Stages


async def read_piece(
    answerer: Answerer,
    classifier: Classifier,
    position: Position,
    piece: str,
    *,
    wanted: Wanted,
    caller: Caller,
    final: bool = False,
) -> Read:
    """Return what is known after a piece.

    What a later piece may still change is read for the prediction, not for the position.

    Args:
        answerer: Has it computed.
        classifier: Of a streamable version.
        position: Where the stream has got.
        piece: The text that comes next.
        wanted: What to say of it.
        caller: Who waits.
        final: Whether nothing comes after it.

    Raises:
        ServiceError: The piece is no text, or cannot be read in time.
    """
    text, half = join_pieces(position.held, piece, final=final)
    closed, held = classifier.split_open(text)

    def plan(rows: Sequence[Row]) -> list[Reading]:
        read = len(rows[0])
        ids = np.concatenate(rows).astype(np.int32)
        if wanted.explain:
            check_tokens(len(ids), asked="prefix")
        stops = range(1, len(ids) + 1) if wanted.explain else [read] if read else []
        return [Reading(ids, position.state, stops=stops, keep=read)]

    answered = await answerer.answer(
        classifier,
        [closed, held],
        caller=caller,
        plan=plan,
        gates=wanted.explain and wanted.gates,
    )
    job, read = answered.jobs[0], len(answered.rows[0])
    tokens = position.tokens + job.length
    prediction = classifier.predict(answered.result(0), tokens=tokens, top_k=wanted.top_k)
    characters = position.characters + len(closed)
    after = Position(job.kept, held + half, position.tokens + read, characters)
    steps = None
    if wanted.explain:
        steps = _describe_steps(classifier, position, (closed, held), job.seen)
    if steps is not None and answered.gates is not None:
        for step, at in zip(steps, answered.gates, strict=True):
            step.gates = at
    return Read(prediction, after, steps, answered.stages)


def _describe_steps(
    classifier: Classifier,
    position: Position,
    parts: tuple[str, str],
    seen: Sequence[Probabilities],
) -> list[Step]:
    """Return how the verdict stood after each token, read or held."""
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

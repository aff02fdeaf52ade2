"""Classifies one text and says why, or where on the way it was decided."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import accumulate

import numpy as np

from models.batching import Row
from models.tokenizer import Offsets
from service.answering.classifier import Classifier
from service.answering.tokenizing import TokenizerThread
from service.errors import NotStreamable
from service.insight.explanation import (
    check_length,
    explain_by_occlusion,
    explain_by_prefix,
    readings_for,
)
from service.insight.sentences import find_sentences
from service.insight.trajectory import describe_trajectory, find_turns
from service.scheduling.jobs import Reading, Ticket
from service.web.schemas import Answer, GatesAt, Method

Compute = Callable[[Sequence[Reading]], Awaitable[Ticket]]
"""Has readings computed."""


async def examine(
    classifier: Classifier,
    text: str,
    *,
    explain: Method | None,
    trajectory: bool,
    gates: bool,
    top_k: int | None,
    tokenizer: TokenizerThread,
    compute: Compute,
) -> Answer:
    """Return the prediction of a text, with what is asked beside it.

    Args:
        classifier: What answers.
        text: The text.
        explain: How to say what each token contributes; None not to.
        trajectory: Whether to say how the verdict stands after each sentence.
        gates: Whether to say how far the gates open at each token.
        top_k: Number of probabilities to give; None for all.
        tokenizer: Turns the text into ids.
        compute: Has readings computed.

    Raises:
        ServiceError: The text is too long, or the version reads whole texts only.
    """
    if not classifier.sliced and (trajectory or explain == "prefix"):
        raise NotStreamable(classifier.reference)
    spans = await asyncio.to_thread(find_sentences, text) if trajectory else [(0, len(text))]
    rows = await tokenizer.encode(classifier, [text[start:end] for start, end in spans])
    ids = np.concatenate([np.empty(0, np.int32), *rows]).astype(np.int32)
    ends = list(accumulate(map(len, rows)))
    offsets: Offsets = []
    if explain is not None or gates:
        check_length(len(ids), explain or "gates")
        _, offsets = classifier.encode_with_offsets(text)
    stops = range(1, len(ids) + 1) if explain == "prefix" else ends if trajectory else ()
    others = readings_for(explain, ids) if explain else []
    # All at once, so that there is one deadline for all.
    ticket = await compute([Reading(ids, stops=stops), *others])
    result, *rest = (ticket.result(place) for place in range(1 + len(others)))
    after = dict(zip(stops, ticket.jobs[0].seen, strict=True))
    more: dict[str, object] = {}
    if trajectory:
        stands = describe_trajectory(classifier, spans, [after[end] for end in ends], top_k=top_k)
        more = {"trajectory": stands, "turns": find_turns(stands)}
    if explain == "prefix":
        more["explanation"] = explain_by_prefix(classifier, offsets, [*rest, *after.values()])
    elif explain == "occlusion":
        more["explanation"] = explain_by_occlusion(classifier, offsets, [result, *rest])
    if gates:
        more["gates"] = await asyncio.to_thread(_read_gates, classifier, ids, offsets)
    answer = classifier.describe(result, tokens=len(ids), top_k=top_k)
    return answer.model_copy(update=more)


def _read_gates(classifier: Classifier, ids: Row, offsets: Offsets) -> list[GatesAt]:
    """Return how far the gates open at each token."""
    _, means = classifier.layers.read(ids, None)
    return [
        GatesAt(start=start, end=end, gates=at)
        for (start, end), at in zip(offsets, means, strict=True)
    ]

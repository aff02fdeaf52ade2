"""Classifies one text, explains its label, and shows its verdict after each sentence."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.golden import Probabilities
from models.tokenizer import Offsets
from service.answering.answerer import Answered, Answerer, Caller, Stages
from service.answering.classifier import Classifier
from service.answering.prediction import Answer, Explanation, GatesAt, Method
from service.errors import NotStreamable
from service.insight.explanation import explain_by_occlusion, explain_by_prefix, readings_for
from service.insight.sentences import Spans, find_sentences
from service.insight.trajectory import describe_trajectory, find_turns
from service.scheduling.jobs import Reading
from service.texts import check_tokens


@dataclass(frozen=True, kw_only=True)
class Examination:
    """The requested additions to a prediction.

    Args:
        explain: Method of the contributions of tokens; None for no contributions.
        trajectory: Whether to return the verdict after each sentence.
        gates: Whether to return the opening of the gates at each token.
        top_k: Number of probabilities to return; None for all.
    """

    explain: Method | None
    trajectory: bool
    gates: bool
    top_k: int | None

    def plan(self, rows: Sequence[Row]) -> list[Reading]:
        """Return the readings: the text with its stops, then the texts to compare with.

        They are one request with one deadline.

        Args:
            rows: Ids of each sentence, or of the whole text.

        Raises:
            TooLarge: There are too many tokens for the requested additions.
        """
        ids = _join(rows)
        if self.explain is not None or self.gates:
            check_tokens(len(ids), asked=self.explain or "gates")
        stops: set[int] = set()
        if self.explain == "prefix":
            stops.update(range(1, len(ids) + 1))
        if self.trajectory:
            stops.update(accumulate(map(len, rows)))  # 0 too: a sentence may have no token
        others = readings_for(self.explain, ids) if self.explain else []
        return [Reading(ids, stops=sorted(stops)), *others]


async def examine(
    answerer: Answerer,
    classifier: Classifier,
    text: str,
    *,
    wanted: Examination,
    caller: Caller,
) -> tuple[Answer, Stages]:
    """Return the prediction of a text with the requested additions, and the times of all stages.

    Args:
        answerer: Computes the readings.
        classifier: The version.
        text: The text.
        wanted: The requested additions.
        caller: The waiting caller.

    Raises:
        ServiceError: The text is too long, or the version reads whole texts only.
    """
    if not classifier.runner.sliced and (wanted.trajectory or wanted.explain == "prefix"):
        raise NotStreamable(classifier.reference)
    spans = [(0, len(text))]
    if wanted.trajectory:
        spans = await asyncio.to_thread(find_sentences, text)
    answered = await answerer.answer(
        classifier,
        [text[start:end] for start, end in spans],
        caller=caller,
        plan=wanted.plan,
        gates=wanted.gates,
    )
    examined = answered.jobs[0]
    answer = classifier.predict(answered.result(0), tokens=examined.length, top_k=wanted.top_k)
    more: dict[str, object] = {}
    if wanted.trajectory:
        more |= _trace(classifier, spans, answered, top_k=wanted.top_k)
    if wanted.explain is not None or wanted.gates:
        _, offsets = classifier.encode_with_offsets(text)
        if wanted.explain is not None:
            more["explanation"] = _explain(classifier, wanted.explain, offsets, answered)
        if answered.gates is not None:
            more["gates"] = [
                GatesAt(start=start, end=end, gates=at)
                for (start, end), at in zip(offsets, answered.gates, strict=True)
            ]
    return answer.model_copy(update=more), answered.stages


def _join(rows: Sequence[Row]) -> NDArray[np.int32]:
    return np.concatenate([np.empty(0, np.int32), *rows]).astype(np.int32)


def _trace(
    classifier: Classifier, spans: Spans, answered: Answered, *, top_k: int | None
) -> dict[str, object]:
    """Return the verdict after each sentence, and the sentences where it turned."""
    after = _seen_after(answered)
    ends = accumulate(map(len, answered.rows))
    stands = describe_trajectory(classifier, spans, [after[end] for end in ends], top_k=top_k)
    return {"trajectory": stands, "turns": find_turns(stands)}


def _seen_after(answered: Answered) -> dict[int, Probabilities]:
    """Return what was seen of the text at each stop, by the tokens before it."""
    job = answered.jobs[0]
    return dict(zip(job.stops, job.seen, strict=True))


def _explain(
    classifier: Classifier, method: Method, offsets: Offsets, answered: Answered
) -> Explanation:
    """Return the contribution of each token."""
    result, *others = _results(answered)
    if method == "occlusion":
        return explain_by_occlusion(classifier, offsets, [result, *others])
    seen = [seen for tokens, seen in _seen_after(answered).items() if tokens]
    return explain_by_prefix(classifier, offsets, [*others, *seen])


def _results(answered: Answered) -> list[Probabilities]:
    """Return the probabilities of all readings; raise the error of a failed one."""
    return [answered.result(place) for place in range(len(answered.jobs))]

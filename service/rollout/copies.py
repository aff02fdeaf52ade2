"""Has the other side of a trial read the texts of a request, after the request is answered."""

import asyncio
import itertools
import logging
from collections.abc import Mapping, Sequence

from service.answering.answerer import NOBODY, Answerer
from service.answering.classifier import Classifier
from service.answering.tokenizing import TokenizerThread
from service.answering.trials import Trial
from service.errors import ServiceError
from service.rollout.comparison import count_comparison
from service.rollout.tally import Tally
from service.scheduling.jobs import Result
from service.scheduling.scheduler import Scheduler
from service.scheduling.spare import SpareScheduling

MOST_TEXTS = 32  # of a request, which has one vote however many it has
MOST_CHARS = 100_000  # of them; tokenizing more would hold up the texts of others
MOST_WAITING = 100  # requests whose copies are on their way
TIMED = 4  # one of so many is read by both sides, to compare their speed

_log = logging.getLogger(__name__)


class Copies:
    """Compares requests on the quiet: at the lowest priority, and not at all where there is none.

    The seconds of an answer and those of its copy would say little of the versions: one has the
    event loop, the other what threads have left. So for one copy in TIMED both versions compute the
    same texts there, one after the other, in changing order. They do for each answer that came too
    late, too, or a version that is always late would never be compared.

    Args:
        tokenizer: Turns texts into ids.
        scheduler: Computes what nobody waits for.
        slower: Times as slow as stable from which on a request counts as slower.
    """

    def __init__(self, tokenizer: TokenizerThread, scheduler: Scheduler, *, slower: float) -> None:
        self._answerer = Answerer(tokenizer, SpareScheduling(scheduler), _Uncounted())
        self._slower = slower
        self._numbers, self._timed = itertools.count(), itertools.count()
        self._tasks: set[asyncio.Task[bool]] = set()

    def begin(
        self,
        trial: Trial,
        texts: Sequence[str],
        results: Sequence[Result] | None,
        *,
        answered_by: Classifier,
        tally: Tally,
    ) -> "asyncio.Task[bool] | None":
        """Start to compare a request with what the other side says; None if there is no time.

        The task returns whether they have been compared.

        Args:
            trial: The trial.
            texts: Texts of the request.
            results: What was answered to each; None if that came too late.
            answered_by: The side that did.
            tally: Where to count.
        """
        texts = texts[:MOST_TEXTS]
        if len(self._tasks) >= MOST_WAITING or sum(map(len, texts)) > MOST_CHARS:
            tally.add("dropped")
            return None
        found = {answered_by: results[:MOST_TEXTS]} if results is not None else {}
        task = asyncio.create_task(self._compare(trial, texts, found, tally))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def stop(self) -> None:
        """Give up what is on its way."""
        for task in self._tasks:
            task.cancel()

    async def _compare(
        self,
        trial: Trial,
        texts: Sequence[str],
        found: dict[Classifier, Sequence[Result]],
        tally: Tally,
    ) -> bool:
        try:
            seconds = await self._read(trial, texts, found)
        except ServiceError:
            tally.add("dropped")
            return False
        except Exception:  # it must not be lost with the task
            _log.exception("a comparison with %s failed", trial.stable.reference)
            return False
        one, other = trial.canary, trial.stable
        count_comparison(tally, (one.metadata, found[one]), (other.metadata, found[other]))
        self._count_seconds(trial, seconds, tally)
        return True

    async def _read(
        self, trial: Trial, texts: Sequence[str], found: dict[Classifier, Sequence[Result]]
    ) -> dict[Classifier, float]:
        """Note what a missing side says of texts; return the seconds of each that was timed."""
        timed = next(self._numbers) % TIMED == 0 or not found
        sides = [trial.canary, trial.stable]
        if timed and next(self._timed) % 2 == 0:
            sides.reverse()
        seconds: dict[Classifier, float] = {}
        for side in sides:
            if side in found and not timed:
                continue
            try:
                answered = await self._answerer.answer(side, texts, caller=NOBODY)
            except ServiceError:
                raise
            except Exception as error:  # of its tokenizer
                found.setdefault(side, [error] * len(texts))
                continue
            found.setdefault(side, answered.results)
            if not any(isinstance(each, Exception) for each in answered.results):
                seconds[side] = answered.computed
        return seconds if timed else {}

    def _count_seconds(
        self, trial: Trial, seconds: Mapping[Classifier, float], tally: Tally
    ) -> None:
        if len(seconds) < 2:
            return
        canary, stable = seconds[trial.canary], seconds[trial.stable]
        tally.add("timed")
        tally.add("slower", canary > self._slower * stable)
        tally.add("canary_model_seconds", canary)
        tally.add("stable_model_seconds", stable)


class _Uncounted:
    """In place of metrics: copies are no traffic."""

    def count_texts(
        self, model: str, version: int, *, texts: int, tokens: int, truncated: int = 0
    ) -> None:
        """Count nothing."""

    def count_stages(self, stages: Mapping[str, float], *, route: str) -> None:
        """Count nothing."""

"""Answers requests, compares versions on trial with the stable one by the way, and judges them."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from models.registry import Store
from models.version_labels import Verdict
from service.answering.answerer import Answered, Answerer, Caller, ReadingPlan, read_whole
from service.answering.catalog import Catalog
from service.answering.trials import Choice, Trial
from service.errors import DeadlinePassed, NeverBegun, ServiceError
from service.rollout.copies import Copies
from service.rollout.evidence import Evidence
from service.rollout.rule import Decision, Judgement, judge, tolerated_flips
from service.rollout.tally import Tally
from service.rollout.verdicts import OUTCOMES, Verdicts, announce, make_verdict
from service.scheduling.jobs import Result
from service.settings import RolloutMode

ACTIONS: dict[RolloutMode, tuple[Decision, ...]] = {
    "watch": (),
    "rollback": ("roll_back",),
    "promote": ("roll_back", "promote"),
}
PAUSE = 0.05  # seconds between two looks at a trial; with several workers one takes 0.1 ms
REMEMBERED = 10_000  # requests whose texts are not compared again

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Standing:
    """How a trial stands.

    Args:
        trial: The trial.
        evidence: What is known, from all workers.
        tolerated: Share of flipped labels that is no reason to roll back.
        judgement: What the evidence says now.
        verdict: What was decided, where the labels do not say so yet.
    """

    trial: Trial
    evidence: Evidence
    tolerated: float
    judgement: Judgement
    verdict: Verdict | None


class Rollouts:
    """Answers as an `Answerer` does, and learns from it where a version is on trial.

    To be used on one event loop.

    Args:
        catalog: The versions.
        answerer: Answers.
        copies: Compares.
        store: Where the labels are.
        mode: What is done without being asked for.
        flips: Share of flipped labels that is tolerated; if absent, that which the errors of both
            versions explain.
        slower: Times as slow as stable that a version may be.
    """

    def __init__(
        self,
        catalog: Catalog,
        answerer: Answerer,
        copies: Copies,
        *,
        store: Store,
        mode: RolloutMode,
        flips: float | None,
        slower: float,
    ) -> None:
        self._catalog = catalog
        self._answerer = answerer
        self._copies = copies
        self._verdicts = Verdicts(catalog, store)
        self._mode: RolloutMode = mode
        self._flips = flips
        self._slower = slower
        self._tallies: dict[str, Tally] = {}
        self._looked: dict[str, float] = {}
        self._suggested: dict[str, Decision] = {}
        self._known: OrderedDict[int, None] = OrderedDict()

    async def answer(
        self,
        choice: Choice,
        texts: Sequence[str],
        *,
        caller: Caller,
        plan: ReadingPlan = read_whole,
    ) -> Answered:
        """Have the chosen version read texts; see `Answerer.answer`."""
        if not choice.trials:
            return await self._answerer.answer(choice.classifier, texts, caller=caller, plan=plan)
        try:
            answered = await self._answerer.answer(
                choice.classifier, texts, caller=caller, plan=plan
            )
        except ServiceError as error:
            if isinstance(error, DeadlinePassed) and not isinstance(error, NeverBegun):
                self._compare(choice, texts, None, plan=plan)  # the version may be too slow
            raise  # all others say nothing of it
        except Exception as error:
            self._compare(choice, texts, [error] * len(texts), plan=plan)
            raise
        self._count_answer(choice, sum(answered.stages.values()))
        self._compare(choice, texts, answered.results, plan=plan)
        return answered

    def _count_answer(self, choice: Choice, seconds: float) -> None:
        for trial in choice.trials:
            side = "canary" if choice.classifier is trial.canary else "stable"
            tally = self._tally(trial)
            tally.add(f"{side}_answers")
            tally.add(f"{side}_answer_seconds", seconds)

    def _compare(
        self,
        choice: Choice,
        texts: Sequence[str],
        results: Sequence[Result] | None,
        *,
        plan: ReadingPlan,
    ) -> None:
        """Have texts compared once they are answered, or late, unless they were before."""
        trial = choice.copied
        if trial is None or plan is not read_whole or self._is_known(trial, texts):
            return
        task = self._copies.begin(
            trial, texts, results, answered_by=choice.classifier, tally=self._tally(trial)
        )
        if task is not None:
            task.add_done_callback(lambda done: self._look_soon(trial, done))

    def _is_known(self, trial: Trial, texts: Sequence[str]) -> bool:
        """Whether texts were compared lately; a probe or a client that repeats has one vote."""
        key = hash((trial.key, *texts))
        if key in self._known:
            return True
        self._known[key] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return False

    def _look_soon(self, trial: Trial, compared: "asyncio.Task[bool]") -> None:
        if compared.cancelled() or not compared.result():
            return
        if time.monotonic() - self._looked.get(trial.key, 0.0) >= PAUSE:
            self._look(trial)

    def follow(self) -> None:
        """Look at all trials: labels may have changed, and other workers decided something."""
        trials = {trial.key: trial for trial in self._catalog.trials}
        for known in (self._tallies, self._looked, self._suggested):
            for key in known.keys() - trials.keys():
                del known[key]
        for trial in trials.values():
            self._look(trial)

    def _look(self, trial: Trial) -> None:
        tally = self._tally(trial)
        if tally.verdict is None:
            self._decide(trial, tally)
        if tally.verdict is not None:
            self._verdicts.carry_out(trial, tally.verdict)
        self._looked[trial.key] = time.monotonic()

    def _decide(self, trial: Trial, tally: Tally) -> None:
        """Note a verdict for all workers, if the evidence is enough for one that may be given."""
        evidence = tally.total()
        judgement = self._judge(trial, evidence)
        if judgement.decision not in ACTIONS[self._mode]:
            self._suggest(trial, judgement)
            return
        verdict = make_verdict(
            trial, OUTCOMES[judgement.decision], why=judgement.why, evidence=evidence
        )
        if tally.decide(verdict):
            announce(trial, verdict)

    def _suggest(self, trial: Trial, judgement: Judgement) -> None:
        """Log what the operator may want to do, and not at every look."""
        if judgement.decision != self._suggested.get(trial.key, "wait"):
            _log.info("%s: %s? %s", trial.canary.reference, judgement.decision, judgement.why)
        self._suggested[trial.key] = judgement.decision

    def _judge(self, trial: Trial, evidence: Evidence) -> Judgement:
        return judge(evidence, tolerated=self._tolerated(trial), slower=self._slower)

    def _tolerated(self, trial: Trial) -> float:
        if self._flips is not None:
            return self._flips
        return tolerated_flips(trial.canary.metadata, trial.stable.metadata)

    def _tally(self, trial: Trial) -> Tally:
        tally = self._tallies.get(trial.key)
        if tally is None:
            tally = self._tallies[trial.key] = Tally(trial.key)
        return tally

    @property
    def standings(self) -> list[Standing]:
        """How all trials stand."""
        return [self._stand(trial) for trial in self._catalog.trials]

    def _stand(self, trial: Trial) -> Standing:
        tally = self._tally(trial)
        evidence = tally.total()
        return Standing(
            trial, evidence, self._tolerated(trial), self._judge(trial, evidence), tally.verdict
        )

    def shutdown(self) -> None:
        """Give up comparisons that are on their way."""
        self._copies.stop()
        self._verdicts.stop()

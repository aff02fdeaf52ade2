"""Has verdicts done: at once in this process, and in the store where it can be written."""

import asyncio
import logging
from datetime import UTC, datetime

from models import steering
from models.errors import GatewiseError
from models.registry import Store
from models.version_labels import Outcome, Verdict
from service.answering.catalog import Catalog
from service.answering.trials import Trial
from service.rollout.evidence import Evidence
from service.rollout.rule import Decision

OUTCOMES: dict[Decision, Outcome] = {"roll_back": "rolled_back", "promote": "promoted"}

_log = logging.getLogger(__name__)


class Verdicts:
    """Carries out what has been decided about trials.

    Every worker and replica tries. The first one that can write the labels does it for all. Where
    none can, each holds to the verdict by itself, until the labels change.

    Args:
        catalog: What sends requests to versions.
        store: Where the labels are.
    """

    def __init__(self, catalog: Catalog, store: Store) -> None:
        self._catalog = catalog
        self._store = store
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._said: set[str] = set()

    def carry_out(self, trial: Trial, verdict: Verdict) -> None:
        """Hold to a verdict from now on, and try to write it; to be called until the trial ends."""
        self._catalog.decide(trial, verdict.outcome)
        if trial.key not in self._tasks:
            task = self._tasks[trial.key] = asyncio.create_task(self._write(trial, verdict))
            task.add_done_callback(lambda _: self._tasks.pop(trial.key))

    def stop(self) -> None:
        """Give up what is being tried."""
        for task in self._tasks.values():
            task.cancel()

    async def _write(self, trial: Trial, verdict: Verdict) -> None:
        try:
            done = await asyncio.to_thread(
                steering.conclude, self._store, trial.model, verdict, since=trial.since
            )
        except (GatewiseError, OSError) as error:
            self._say_once(trial, error)
        else:
            if done:
                _log.info("the labels of %s say so now", trial.model)

    def _say_once(self, trial: Trial, error: Exception) -> None:
        """Log why the labels stay as they are, and not at every try."""
        if trial.key not in self._said:
            self._said.add(trial.key)
            _log.warning(
                "the labels of %s cannot be changed, so only this service holds to it: %s",
                trial.model,
                error,
            )


def make_verdict(trial: Trial, outcome: Outcome, *, why: str, evidence: Evidence) -> Verdict:
    """Return a verdict about a trial as of now."""
    return Verdict(
        label=trial.label,
        version=trial.canary.metadata.version,
        stable=trial.stable.metadata.version,
        outcome=outcome,
        at=datetime.now(UTC),
        why=why,
        figures=evidence.figures(),
    )


def announce(trial: Trial, verdict: Verdict) -> None:
    """Log a verdict with its figures, in one line."""
    done = "is rolled back" if verdict.outcome == "rolled_back" else "is promoted"
    figures = ", ".join(f"{name} {value:g}" for name, value in verdict.figures.items())
    _log.warning(
        "%s (%s) %s beside version %d: %s [%s]",
        trial.canary.reference,
        trial.label,
        done,
        verdict.stable,
        verdict.why,
        figures,
    )

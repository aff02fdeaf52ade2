"""Chooses the work that fits into the time budget of a training."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

SLACK = 1.15  # factor for checkpoints, and a machine whose speed varies
LEAST_SHARE = 0.01


@dataclass(frozen=True, kw_only=True)
class TimePlan:
    """The work of a training.

    Args:
        pretraining: Passes over the texts without labels, to learn their language or what an
            encoder makes of them.
        epochs: Passes over the labelled rows.
        rounds: Rounds of self-training.
        share: Share of the labelled rows that the network sees.
    """

    pretraining: int
    epochs: int
    rounds: int
    share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds of the parts of a training on this machine.

    Args:
        pretraining: One pass over the texts without labels; 0 where their encoder is kept.
        embedding: What comes before the first of these passes.
        epoch: One pass over the labelled rows.
        round_epoch: One pass over the labelled rows and the texts without labels.
        before: Time from the start until the plan is made.
        start: What each fit takes before its first step: its n-grams and its graph.
        after: Calibration, export, verification and report.
    """

    pretraining: float
    epoch: float
    round_epoch: float
    before: float
    embedding: float = 0.0
    start: float = 0.0
    after: float = 0.0

    @property
    def floor(self) -> float:
        """The seconds that no plan can save."""
        return self.before + self.start + self.after

    def of(self, plan: TimePlan) -> float:
        """Return the seconds that a training takes."""
        return self.before + self.of_fits(plan) + self.after

    def of_fits(self, plan: TimePlan) -> float:
        """Return the seconds of all fits."""
        fits = plan.epochs * (plan.share * self.epoch + plan.rounds * self.round_epoch)
        first = self.embedding if plan.pretraining else 0.0
        work = SLACK * (first + plan.pretraining * self.pretraining + fits)
        return (1 + plan.rounds) * self.start + work


def choose_plan(wanted: TimePlan, costs: Costs, *, seconds: float) -> TimePlan:
    """Return the fullest plan that fits; if none fits, the leanest."""
    for plan in _leaner(wanted, known=costs.pretraining == 0):
        if costs.of(plan) <= seconds:
            return plan
    fixed, epoch = costs.of(replace(plan, share=0.0)), SLACK * costs.epoch
    return replace(plan, share=min(1.0, max(LEAST_SHARE, (seconds - fixed) / epoch)))


def _leaner(wanted: TimePlan, *, known: bool) -> Iterator[TimePlan]:
    """Yield plans from the fullest to the leanest; the work with most gain per time stays longest.

    Further passes over the texts without labels go first, then self-training, then repeated passes
    over the labelled rows. The first pass over the texts without labels goes last.

    Args:
        wanted: The fullest plan.
        known: Whether an encoder is kept. To drop a pass would then save nothing and require a new
            encoder.
    """
    fewest = wanted.pretraining if known else min(1, wanted.pretraining)
    for rounds in range(wanted.rounds, -1, -1):
        for pretraining in range(wanted.pretraining, fewest - 1, -1):
            yield replace(wanted, rounds=rounds, pretraining=pretraining)
    plan = replace(wanted, rounds=0, pretraining=fewest)
    for epochs in range(wanted.epochs - 1, 0, -1):
        yield replace(plan, epochs=epochs)
    if fewest and not known:
        for epochs in range(wanted.epochs, 0, -1):
            yield replace(plan, pretraining=0, epochs=epochs)


def describe_plan(plan: TimePlan, costs: Costs) -> str:
    """Return a plan in words, with its expected time."""
    rows = f" over {plan.share:.0%} of the rows" if plan.share < 1 else ""
    parts = [
        _count(plan.pretraining, "pass of pretraining", "passes of pretraining"),
        _count(plan.epochs, "epoch", "epochs") + rows,
        _count(plan.rounds, "round of self-training", "rounds of self-training"),
    ]
    times = (
        f"{costs.of(plan) / 60:.1f} min in all: {costs.before / 60:.1f} until now, "
        f"{costs.of_fits(plan) / 60:.1f} to fit, "
        f"{costs.after / 60:.1f} for calibration, export, check and report"
    )
    return f"{', '.join(filter(None, parts))} ({times})"


def describe_omissions(wanted: TimePlan, chosen: TimePlan, costs: Costs) -> str:
    """Return in words the omitted work and the time of the full plan; "" if nothing is omitted."""
    parts = [
        _count(
            wanted.pretraining - chosen.pretraining, "pass of pretraining", "passes of pretraining"
        ),
        _count(wanted.epochs - chosen.epochs, "epoch", "epochs"),
        _count(wanted.rounds - chosen.rounds, "round of self-training", "rounds of self-training"),
        f"{1 - chosen.share:.0%} of the rows" if chosen.share < 1 else "",
    ]
    named = ", ".join(filter(None, parts))
    return f"{named} (all would take {costs.of(wanted) / 60:.1f} min)" if named else ""


def describe_excess(plan: TimePlan, costs: Costs, *, seconds: float) -> str:
    """Return in words why even this plan takes longer than the time; "" if it does not."""
    if costs.of(plan) <= seconds:
        return ""
    if costs.floor < seconds:
        return "even that is likely to take longer"
    return (
        f"the time budget does not cover reading, baseline, n-grams, start of TensorFlow, export, "
        f"check and report, which take about {costs.floor / 60:.1f} min here; "
        f"expect {costs.of(plan) / 60:.1f} min"
    )


def _count(number: int, one: str, several: str) -> str:
    if not number:
        return ""
    return f"{number} {one if number == 1 else several}"

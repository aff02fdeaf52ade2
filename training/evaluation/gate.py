"""The gate: a new version is published only if it is no worse than the one that answers today.

Two questions decide, each by the score that the training chose by:

1. On the validation rows of this training, is the new version worse than the old one? Both read the
   same rows, so the test is paired.
2. Is the new version worse on its validation rows than the old one was on those of its own
   training? If it is, and the old one does no worse than it here, the data has become worse or
   other: its labels, or its texts. Rows differ, so the test is one of two samples. On both sides
   only rows count that are in no way known from train.

The old version may have been trained on rows that are for validation now, as where a dataset has
grown and is split anew. It then does better on them than on those of its own training, and the
first question is left out.

A difference counts if chance alone would make it in one of twenty trainings or fewer.
"""

import json
import math
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from models.atomic import replace_file
from models.decisions import DecisionRule
from models.installation import command
from models.metadata import Metadata
from models.versions import Version
from training.calibration.metrics import is_right
from training.console import console
from training.evaluation.trained import DECIDING, WITHOUT_LEAKS
from training.export.cases import GOLDEN_TEXTS
from training.export.verify import REFERENCE, VerifiedExport
from training.replay import draw_timed, replay
from training.report import words
from training.report.comparison import SIGNIFICANT, Difference, compare
from training.report.tallies import Decisions, Tally, tally
from training.run import FEWEST_HONEST, Run

FILE = "gate.json"
FEW_PARTS = 0.02  # of the validation rows; they hardly change a score
SHOWN = 5  # kinds of flips that are printed


@dataclass(frozen=True, kw_only=True)
class Flip:
    """A validation row that the two versions decide differently.

    Args:
        row: Its number in the dataset.
        before: Labels that the old version gives.
        after: Labels that the new one gives.
        truth: Labels that it has.
    """

    row: int
    before: list[str]
    after: list[str]
    truth: list[str]


@dataclass(frozen=True, kw_only=True)
class GoldenFlip:
    """A text that comes with every version, and that the two decide differently."""

    text: str
    before: list[str]
    after: list[str]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the gate found.

    Args:
        old: The version that was compared with.
        measure: The score that decides.
        rows: Validation rows that were compared.
        new_score: Of the new version on them.
        old_score: Of the old version on them.
        before: Score of the old version on the validation rows of its own training; None where that
            is not known of the rows that decide, and the second question is left out.
        difference: Lead of the new version over the old one on the same rows.
        p_of_fall: Chance of a fall from `before` to `new_score` as large as this one.
        seen: Whether the old version does so well on these rows that it was trained on some.
        flips: Rows that the two decide differently.
        golden_flips: Golden texts that they do; nobody says which label is right.
        reasons: Why the new version is refused; empty if it is not.
    """

    old: str
    measure: str
    rows: int
    new_score: float
    old_score: float
    before: float | None
    difference: Difference
    p_of_fall: float
    seen: bool
    flips: list[Flip]
    golden_flips: list[GoldenFlip]
    reasons: list[str]

    @property
    def passed(self) -> bool:
        """Whether the new version may be published."""
        return not self.reasons

    def save(self, folder: Path) -> None:
        """Write it as JSON into the folder of a report."""
        with replace_file(folder / FILE) as unfinished:
            text = json.dumps(asdict(self) | {"passed": self.passed}, indent=1, ensure_ascii=False)
            unfinished.write_text(text + "\n", encoding="utf-8")


def judge(run: Run, old: Version, verified: VerifiedExport, *, metadata: Metadata) -> Judgement:
    """Return how a new version compares with an old one.

    Args:
        run: The training.
        old: The old version.
        verified: Answers of the exported new version.
        metadata: Metadata of the new version.

    Raises:
        ExportError: The old version cannot be run.
    """
    validation, chosen = run.prepared.data.validation, np.flatnonzero(run.honest)
    truth = validation.labels[chosen]
    rule = DecisionRule.of(metadata)
    new = rule.choose(verified.splits["validation"][chosen])
    console.print(f"gate: {old.reference} reads {len(chosen):,} validation rows")
    texts = [*(validation.texts[row] for row in chosen), *GOLDEN_TEXTS]
    before, golden = np.split(_decide(old, texts, labels=metadata.labels), [len(chosen)])
    tallied = tally(truth, [new, before], labels=len(metadata.labels))
    measure = run.score
    right = is_right(new, truth), is_right(before, truth)
    found = compare(*tallied, right=right, task=metadata.task)["differences"]
    difference = found.get(measure) or found["subset_accuracy"]
    scores = [float(getattr(each.sample, measure)) for each in tallied]
    known = _find_known(old, run)
    p, seen = 1.0, False
    if known is not None:
        fall, rise = (
            _distance(each.resampled, score, known=known, measure=measure)
            for each, score in zip(tallied, scores, strict=True)
        )
        p, seen = float(norm.cdf(fall)), bool(norm.sf(rise) < SIGNIFICANT / 2)
    return Judgement(
        old=old.reference,
        measure=measure,
        rows=len(chosen),
        new_score=scores[0],
        old_score=scores[1],
        before=None if known is None else known[measure],
        difference=difference,
        p_of_fall=p,
        seen=seen,
        flips=_find_flips(new, before, truth, rows=validation.rows[chosen], metadata=metadata),
        golden_flips=[
            GoldenFlip(
                text=GOLDEN_TEXTS[place],
                before=_names(golden[place], metadata),
                after=_names(after, metadata),
            )
            for place, after in enumerate(rule.choose(verified.golden))
            if not np.array_equal(after, golden[place])
        ],
        reasons=_find_reasons(
            None if seen else difference,
            p,
            scores=scores,
            before=None if known is None else known[measure],
            measure=measure,
            old=old,
        ),
    )


def _decide(old: Version, texts: list[str], *, labels: tuple[str, ...]) -> Decisions:
    """Return what a version decides, by the places of its labels in another order."""
    ids = old.tokenizer.encode_batch(texts)
    answered = replay(old.path, ids, engine=REFERENCE, timed=draw_timed(len(ids)))
    decided = DecisionRule.of(old.metadata).choose(answered.probabilities)
    known = old.metadata.labels
    if decided.ndim == 2:
        return decided[:, [known.index(label) for label in labels]]
    return np.array([labels.index(label) for label in known], np.int32)[decided]


def _find_known(old: Version, run: Run) -> dict[str, float] | None:
    """Return what an old version had on the validation rows that decided in its own training.

    Versions of before do not say what they had on rows that are no parts of others. Where more
    than a few validation rows are parts, it is not known, and None is returned.
    """
    metrics = old.metadata.metrics
    if DECIDING in metrics:
        return metrics[DECIDING]
    if run.parts_left_out > FEW_PARTS * len(run.honest):
        return None
    clean = metrics.get(f"validation{WITHOUT_LEAKS}")
    enough = clean is not None and clean["rows"] >= FEWEST_HONEST
    return clean if enough else metrics["validation"]


def _distance(resampled: Tally, score: float, *, known: dict[str, float], measure: str) -> float:
    """Return how many standard errors a score lies above one that is known of other rows.

    The spread of both is that of the bootstrap samples of the one, by the number of rows of each.
    It is at least that of a share in both samples together, because the samples of a version that
    is right in all rows have no spread.
    """
    before, rows = known[measure], (resampled.rows, known["rows"])
    spread = float(np.nanstd(getattr(resampled, measure))) * math.sqrt(1 + rows[0] / rows[1])
    share = (score * rows[0] + before * rows[1]) / sum(rows)
    least = math.sqrt(share * (1 - share) * (1 / rows[0] + 1 / rows[1]))
    both = max(spread, least)
    return (score - before) / both if both else 0.0


def _find_reasons(
    difference: Difference | None,
    p_of_fall: float,
    *,
    scores: list[float],
    before: float | None,
    measure: str,
    old: Version,
) -> list[str]:
    name = words.MEASURE[measure]
    new, here = (words.figure(score, measure) for score in scores)
    lead = 0.0  # as far as it is more than chance
    if difference is not None and difference["p"] < SIGNIFICANT:
        lead = difference["value"]
    reasons = []
    if difference is not None and lead < 0:
        reasons.append(
            f"it is worse than {old.reference} on the same validation rows: {name} {new} and "
            f"{here} ({words.evidence(difference, measure)})"
        )
    if before is not None and p_of_fall < SIGNIFICANT / 2 and lead <= 0:
        reason = (
            f"its {name} on its validation rows is {new}, and {old.reference} had "
            f"{words.figure(before, measure)} on those of its own training"
        )
        if difference is not None:
            reason += (
                f" and has {here} on the new rows, so the data has changed: "
                f"look at its labels ({command('training', 'inspect')})"
            )
        reasons.append(reason)
    return reasons


def _find_flips(
    new: Decisions,
    before: Decisions,
    truth: Decisions,
    *,
    rows: NDArray[np.integer],
    metadata: Metadata,
) -> list[Flip]:
    return [
        Flip(
            row=int(rows[place]),
            before=_names(before[place], metadata),
            after=_names(new[place], metadata),
            truth=_names(truth[place], metadata),
        )
        for place in np.flatnonzero(~is_right(new, before))
    ]


def _names(decided: Any, metadata: Metadata) -> list[str]:
    if metadata.task == "single_label":
        return [metadata.labels[int(decided)]]
    return [metadata.labels[place] for place in np.flatnonzero(decided)]


def print_judgement(found: Judgement) -> None:
    """Print how the versions compare, and the most frequent flips."""
    name = words.MEASURE[found.measure]
    new, here = (words.figure(v, found.measure) for v in (found.new_score, found.old_score))
    console.print(
        f"gate: {name} {new}, {found.old} has {here} on the same {found.rows:,} rows "
        f"({words.evidence(found.difference, found.measure)})"
    )
    if found.before is None:
        console.print(
            f"gate: {found.old} does not record its {name} on rows that are no parts of others, so "
            "it is not asked whether the data has become worse"
        )
    elif found.seen:
        console.print(
            f"gate: {found.old} was trained on some of these rows, so it counts by what it had on "
            f"those of its own training: {words.figure(found.before, found.measure)}"
        )
    kinds = Counter(
        (", ".join(f.before) or "none", ", ".join(f.after) or "none") for f in found.flips
    )
    share = words.percent(len(found.flips) / found.rows)
    listed = "; ".join(f"{a} → {b}: {count:,}" for (a, b), count in kinds.most_common(SHOWN))
    console.print(f"gate: {len(found.flips):,} rows ({share}) get another label. {listed}")


def describe_refusal(found: Judgement, *, aside: Path) -> str:
    """Return why a version is not published, and where it is."""
    return f"not published: {'; and '.join(found.reasons)}; it is in {aside} with its report"

"""Measures the early exit: tokens that are not read, and labels that change."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.decisions import DecisionRule
from models.early_exit import risk_of
from models.ngram_lookup import NgramLookup
from models.versions import Version
from service.engines.protocol import Engine
from service.replay import watch
from training.export.early_exit import Looks


@dataclass(frozen=True)
class Row:
    """The result of a rule: shares of tokens saved and of labels that change."""

    certainty: str
    saved: float
    differing: float


def measure_stopping(version: Version, engine: Engine, texts: Sequence[str]) -> list[Row]:
    """Return the result of each rule of a version on some texts."""
    stopping, state = version.metadata.stopping, version.metadata.state
    assert stopping is not None
    rows = version.tokenizer.encode_batch(texts)
    seen = [watch(engine, row, state=state, every=stopping.every) for row in rows]
    ngrams = NgramLookup.of(version) if stopping.ahead else None
    looks = Looks(
        seen,
        [len(row) for row in rows],
        rule=DecisionRule.of(version.metadata),
        coming=ngrams and [ngrams.coming(row, every=stopping.every) for row in rows],
    )
    found = []
    risks = risk_of(looks.features, stopping)
    for certainty, limit in stopping.limits.items():
        differing, saved = looks.read_by(risks, limit)
        found.append(Row(certainty, saved, differing))
    return found

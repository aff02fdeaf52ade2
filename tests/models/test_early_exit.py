import numpy as np
import pytest

from models.decisions import DecisionRule, Verdict
from models.early_exit import Watch, risk_of
from models.metadata import Stopping
from tests.rules import LIKELIEST, several


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def row(*probabilities: float) -> np.ndarray:
    return np.array(probabilities, np.float32)


def test_what_describes_a_text_on_its_way() -> None:
    watch = Watch(LIKELIEST)
    two, one = np.log(0.8 / 0.2), np.log(0.6 / 0.4)
    first = watch.look(row(0.2, 0.8), read=8, left=24)
    expected = [two, np.log(8), np.log(24), two, two, two, two]
    assert first == pytest.approx(expected, abs=1e-6)
    # The verdict is another now, so what it was speaks against it.
    second = watch.look(row(0.6, 0.4), read=16, left=16)
    change = one + two
    rms = np.sqrt((two**2 + change**2) / 2)
    expected = [one, np.log(16), np.log(16), -two, (one - two) / 2, change, rms]
    assert second == pytest.approx(expected, abs=1e-6)
    assert watch.verdict == (0,)


def describe_plainly(verdicts: list[Verdict], margins: list[float]) -> list[float]:
    """Return what describes the margins at all looks, as it is defined."""
    same = [1.0 if verdict == verdicts[-1] else -1.0 for verdict in verdicts]
    seen = np.array(same) * margins
    changes = np.diff(seen, prepend=0.0)
    return [seen.min(), seen.mean(), changes[-1], np.sqrt(np.mean(changes**2))]


@pytest.mark.parametrize(
    ("rule", "labels"), [(LIKELIEST, 2), (LIKELIEST, 5), (several(0.5, 0.3, 0.7), 3)]
)
@pytest.mark.parametrize("swing", [0.1, 1.0, 5.0])
def test_all_looks_are_described_by_running_sums(
    rule: DecisionRule, labels: int, swing: float
) -> None:
    draw = np.random.default_rng(labels)
    weights = (-1.0, -0.1, 0.2, -0.5, -0.4, 0.3, 0.6)
    stopping = Stopping(every=8, intercept=0.5, weights=weights, limits={"0.9": -2.0})
    watches, verdicts, margins = (Watch(rule), Watch(rule)), [], []
    logits, looks = np.zeros(labels), 400
    for look in range(1, looks + 1):
        logits = 0.95 * logits + swing * draw.standard_normal(labels)
        odds = np.exp(logits - logits.max())
        probabilities = (odds / odds.sum()).astype(np.float32)
        verdicts.append(rule.verdict(probabilities))
        margins.append(rule.margin(probabilities))
        left = looks + 1 - look
        found, again = (each.look(probabilities, read=look, left=left) for each in watches)
        expected = [margins[-1], np.log(look), np.log(left), *describe_plainly(verdicts, margins)]
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert found.tolist() == again.tolist()
        plain = risk_of(np.array(expected), stopping)
        assert (risk_of(found, stopping) <= -2.0) == (plain <= -2.0)
    assert len(set(verdicts)) > 1


def test_ngrams_to_come_raise_the_margin_or_turn_the_verdict() -> None:
    def last(*coming: float, rule: DecisionRule = LIKELIEST) -> float:
        watch = Watch(rule)
        found = watch.look(row(0.2, 0.8), read=8, left=8, coming=np.array(coming))
        assert found[:-1] == pytest.approx(Watch(rule).look(row(0.2, 0.8), read=8, left=8))
        return float(found[-1])

    assert last(0.0, 0.0) == pytest.approx(0)
    assert last(-0.5, 0.5) == pytest.approx(1, abs=1e-6)
    assert last(1.5, -1.5) == pytest.approx(-3, abs=1e-6)  # from one verdict to the other
    assert last(0.0, 1.0, rule=several(0.5, 0.5)) == pytest.approx(0, abs=1e-6)
    assert last(-1.0, 1.0, rule=several(0.5, 0.5)) == pytest.approx(1, abs=1e-6)
    turned = last(1.0, -2.0, rule=several(0.5, 0.5))  # the first label is now the less certain
    assert turned == pytest.approx(-(logit(0.8) - 1) - logit(0.8), abs=1e-6)


def test_the_risk_is_a_weighted_sum() -> None:
    stopping = Stopping(
        every=8, intercept=0.5, weights=(-1.0, 2.0, *(0.0,) * 5), limits={"0.9": 0.0}
    )
    assert risk_of(np.array([3.0, 1.0, *(9.0,) * 5]), stopping) == pytest.approx(-0.5)


def test_a_rare_label_is_watched_as_it_is_given() -> None:
    watch = Watch(DecisionRule("single_label", (1.0, 0.25)))
    watch.look(row(0.7, 0.3), read=8, left=8)
    assert watch.verdict == (1,)
    (margin, *_) = watch.look(row(0.9, 0.1), read=16, left=8)
    assert watch.verdict == (0,)
    assert margin == pytest.approx(np.log(0.9 / 0.4), abs=1e-6)

"""The verdict follows one rule: the cheapest within one standard error of the best."""

import numpy as np

from training.comparison.candidates import Contestant, list_contestants
from training.comparison.verdict import BASELINE, NGRAMS, Verdict, choose, make_verdict
from training.report.scores import Scored

CONTESTANTS = list_contestants(("rnn", "gru"), units=8, embedding=8, labels=2)
RNN, GRU, WIDE = CONTESTANTS


def scored(value: float, *, error: float = 0.01, seed: int = 0) -> Scored:
    """Return scores whose mean over drawn rows varies by so much."""
    draws = np.random.default_rng(seed).normal(0, 1, 1_000)
    draws = value + error * (draws - draws.mean())
    return Scored(seeds=np.array([value]), draws=draws, fits=f"fits {seed}")


def verdict(
    alone: dict[Contestant, float],
    *,
    joined: float = 0.9,
    baseline: float = 0.8,
    ngrams: float = 0.8,
    test: dict[Contestant, float] | None = None,
) -> Verdict:
    def table(values: dict[Contestant, float]) -> dict[str, Scored]:
        found = {each.key: scored(value, seed=i) for i, (each, value) in enumerate(values.items())}
        found |= {f"{each.key} joined": scored(joined, seed=7) for each in values}
        found |= {f"{each.key} 64": scored(0.5, seed=8) for each in values}
        linear = {BASELINE: scored(baseline, seed=9), NGRAMS: scored(ngrams, seed=10)}
        return found | linear

    tables = {"validation": table(alone)} | ({"test": table(test)} if test else {})
    rows = dict.fromkeys(tables, 1_000)
    return make_verdict(
        list(alone), tables, embedding=8, measure="accuracy", cuts=["64", "all"], rows=rows
    )


def test_the_best_is_chosen_where_it_stands_out() -> None:
    found = verdict({RNN: 0.7, GRU: 0.9, WIDE: 0.72})
    assert (found["cell"], found["linear"], found["cut"]) == (GRU.key, False, "all")
    assert found["headline"] == "Take the GRU 8, reading whole texts."
    assert found["runner_up"] == WIDE.key


def test_what_costs_less_is_chosen_inside_the_noise() -> None:
    found = verdict({RNN: 0.895, GRU: 0.9, WIDE: 0.7})
    assert found["cell"] == RNN.key
    assert "is cheaper and only 0.5 points of accuracy" in found["reasons"][2]


def test_the_linear_baseline_is_enough_where_it_does_as_well() -> None:
    found = verdict({RNN: 0.7, GRU: 0.9, WIDE: 0.7}, joined=0.8, baseline=0.8)
    assert found["linear"]
    assert found["headline"].startswith("The linear baseline is enough")
    assert found["reasons"][0] == "The linear baseline does as well on validation."


def test_test_rows_may_say_that_it_was_wrong() -> None:
    found = verdict({RNN: 0.7, GRU: 0.9, WIDE: 0.7}, test={RNN: 0.9, GRU: 0.7, WIDE: 0.9})
    assert found["cell"] == GRU.key
    assert any("These rows say that it is the wrong choice." in why for why in found["reasons"])


def test_test_rows_may_disagree_about_the_linear_baseline() -> None:
    alone = {RNN: 0.7, GRU: 0.9, WIDE: 0.7}
    agreed = verdict(alone, joined=0.9, baseline=0.8, test=alone)
    assert agreed["reasons"][1].endswith(", more than noise.")
    assert "1,000 test rows the network leads by +10.0 (95" in agreed["reasons"][1]
    tables = verdict(alone, joined=0.8, baseline=0.8, test=alone)
    assert tables["reasons"][1].endswith("inside the noise.")


def test_differences_inside_the_noise_are_called_so() -> None:
    found = verdict({RNN: 0.9, GRU: 0.905, WIDE: 0.9})
    assert any("inside the noise" in why for why in found["reasons"])


def test_what_the_n_grams_do_is_not_the_networks_merit() -> None:
    found = verdict({RNN: 0.7, GRU: 0.9, WIDE: 0.7}, joined=0.9, baseline=0.8, ngrams=0.899)
    assert not found["linear"]
    assert found["reasons"][1].startswith("To its n-grams alone the network adds +0.1 (95")
    assert found["reasons"][1].endswith("inside the noise.")


def test_a_cell_alone_has_no_runner_up() -> None:
    assert verdict({GRU: 0.9})["runner_up"] is None


def test_what_depends_on_the_seed_is_near_to_nothing() -> None:
    rows = np.random.default_rng(0).normal(0, 0.005, 1_000)
    steady = Scored(seeds=np.array([0.87, 0.871, 0.872]), draws=0.871 + rows, fits="gru")
    shaky = Scored(seeds=np.array([0.6, 0.87, 0.88]), draws=0.783 + rows, fits="rnn")
    found = choose({"rnn": shaky, "gru": steady}, by_cost=["rnn", "gru"])
    assert found["behind"]["rnn"]["value"] < found["behind"]["rnn"]["error"]
    assert found["chosen"] == "gru"


def test_one_that_is_one_standard_error_behind_is_near_enough() -> None:
    best, error = scored(0.9, error=0.03, seed=1), 0.02
    draws = best.draws - 0.015 + np.random.default_rng(2).normal(0, error, 1_000)
    near = Scored(seeds=np.array([0.885]), draws=draws, fits="cheap")
    found = choose({"cheap": near, "dear": best}, by_cost=["cheap", "dear"])
    assert (found["chosen"], found["best"]) == ("cheap", "dear")
    far = Scored(seeds=np.array([0.87]), draws=draws, fits="cheap")
    assert choose({"cheap": far, "dear": best}, by_cost=["cheap", "dear"])["chosen"] == "dear"

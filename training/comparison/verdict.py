"""Chooses a contestant by one rule, and explains the choice.

The rule takes the cheapest of all within one standard error of the best. It is the
one-standard-error rule of Breiman, Friedman, Olshen and Stone, "Classification and Regression
Trees", 1984. It chooses cell and width, the length worth reading, and network or linear baseline.
The baseline is cheaper than any network. The cost of a network is its multiplications per token,
or the size of its state if these are about equal. Both are the same on any machine. Only validation
rows decide; test rows check the choice.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from training.comparison.candidates import Contestant, order_by_cost
from training.report import words
from training.report.comparison import SIGNIFICANT
from training.report.scores import Lead, Scored, error_of, lead

BASELINE = "baseline"
NGRAMS = "n-grams"
Table = Mapping[str, Scored]


class Choice(TypedDict):
    """The chosen one, the best one, and how far each is behind the best."""

    chosen: str
    best: str
    behind: dict[str, Lead]


class Verdict(TypedDict):
    """The choice and its reasons.

    Args:
        headline: The choice in one sentence.
        reasons: Further sentences.
        linear: Whether the linear baseline is enough.
        cell: Key of the contestant chosen among the networks.
        cut: Number of tokens worth reading, or "all".
        runner_up: Key of the best contestant with another cell; None if there is none.
    """

    headline: str
    reasons: list[str]
    linear: bool
    cell: str
    cut: str
    runner_up: str | None


def choose(scored: Table, *, by_cost: Sequence[str]) -> Choice:
    """Return the first in the order of cost that is within one standard error of the best.

    The error is that of the difference, or that of the best itself if it is smaller. Otherwise a
    contestant that varies greatly between seeds would be close to any other.
    """
    best = max(by_cost, key=lambda name: scored[name].value)
    behind = {name: lead(scored[best], scored[name]) for name in by_cost}
    limit = error_of(scored[best])
    near = [each for each in by_cost if behind[each]["value"] <= min(limit, behind[each]["error"])]
    return {"chosen": near[0], "best": best, "behind": behind}


def make_verdict(
    contestants: Sequence[Contestant],
    scored: Mapping[str, Table],
    *,
    embedding: int,
    measure: str,
    cuts: Sequence[str],
    rows: Mapping[str, int],
) -> Verdict:
    """Return the choice and its reasons.

    Args:
        contestants: Contestants that did not fail.
        scored: Scores by purpose, of KEY, KEY joined (to the n-grams), KEY CUT, and of the linear
            models BASELINE and NGRAMS.
        embedding: Width of a token's vector.
        measure: Name of the score.
        cuts: Tried lengths in tokens, the last one "all".
        rows: Number of rows by purpose.
    """
    table, named = scored["validation"], {each.key: each for each in contestants}
    by_cost = [each.key for each in order_by_cost(contestants, embedding=embedding)]
    cell = choose(table, by_cost=by_cost)
    chosen = named[cell["chosen"]]
    linear = choose(table, by_cost=[BASELINE, f"{chosen.key} joined"])
    readings = {cut: chosen.key if cut == cuts[-1] else f"{chosen.key} {cut}" for cut in cuts}
    cut = choose(table, by_cost=list(readings.values()))
    length = next(name for name, key in readings.items() if key == cut["chosen"])
    others = [each for each in contestants if each.cell != chosen.cell]
    other = max(others, key=lambda each: table[each.key].value, default=None)
    enough = linear["chosen"] == BASELINE
    reasons = [_why_linear(linear, measure=measure, enough=enough)]
    if "test" in scored:
        difference = lead(scored["test"][f"{chosen.key} joined"], scored["test"][BASELINE])
        reasons.append(_check_linear(difference, measure=measure, rows=rows["test"], enough=enough))
    for purpose, by in scored.items():
        difference = lead(by[f"{chosen.key} joined"], by[NGRAMS])
        where = f"{rows[purpose]:,} {purpose} rows"
        reasons.append(_beside_ngrams(difference, measure=measure, where=where))
    reasons.append(_why_cell(cell, named, measure=measure))
    for purpose in scored:
        if other is not None:
            difference = lead(scored[purpose][chosen.key], scored[purpose][other.key])
            where = f"{rows[purpose]:,} {purpose} rows"
            reasons.append(_against(chosen, other, difference, measure=measure, where=where))
    if other is not None:
        reasons.append(_price(chosen, other, embedding=embedding))
    reasons.append(_why_length(cut, length, measure=measure))
    return {
        "headline": _headline(chosen, enough=enough, length=length),
        "reasons": reasons,
        "linear": enough,
        "cell": chosen.key,
        "cut": length,
        "runner_up": other.key if other is not None else None,
    }


def _headline(chosen: Contestant, *, enough: bool, length: str) -> str:
    reading = "whole texts" if length == "all" else f"the first {length} tokens"
    if enough:
        return (
            "The linear baseline is enough for these texts; if a network is wanted all the same, "
            f"take the {chosen.name}, reading {reading}."
        )
    return f"Take the {chosen.name}, reading {reading}."


def _why_linear(choice: Choice, *, measure: str, enough: bool) -> str:
    best = choice["best"]
    behind = next(each for name, each in choice["behind"].items() if name != best)
    by = _amount(behind, measure)
    if not enough:
        return f"With its n-grams the network beats the linear baseline by {by} on validation."
    if not behind["value"]:
        return "The linear baseline does as well on validation."
    if best == BASELINE:
        return f"The linear baseline is better by {by} on validation."
    return (
        f"With its n-grams the network leads the linear baseline by {by} on validation, which is "
        "no more than one standard error."
    )


def _check_linear(difference: Lead, *, measure: str, rows: int, enough: bool) -> str:
    """Return in words what test rows say of the network and the linear baseline."""
    sentence = f"On {rows:,} test rows the network leads by {_interval(difference, measure)}"
    otherwise = _is_sure(difference) and enough == (difference["value"] > 0)
    return f"{sentence}, {_noise(difference)}{': these rows say otherwise' if otherwise else ''}."


def _beside_ngrams(difference: Lead, *, measure: str, where: str) -> str:
    by = _interval(difference, measure)
    return f"To its n-grams alone the network adds {by} on {where}, {_noise(difference)}."


def _is_sure(difference: Lead) -> bool:
    return difference["p"] < SIGNIFICANT


def _noise(difference: Lead) -> str:
    """Return in words whether a difference is more than chance."""
    return "more than noise" if _is_sure(difference) else "inside the noise"


def _interval(difference: Lead, measure: str) -> str:
    """Return a difference and its interval in words."""
    low, high = (words.apart(difference[end], measure) for end in ("low", "high"))
    found = words.apart(difference["value"], measure, plus=True)
    return f"{found} (95{words.SPACE}% {low} to {high})"


def _why_cell(choice: Choice, named: Mapping[str, Contestant], *, measure: str) -> str:
    chosen, best = named[choice["chosen"]], named[choice["best"]]
    if chosen is best:
        return (
            f"By itself the {best.name} is best on validation, and nothing cheaper comes within "
            "one standard error of it."
        )
    return (
        f"By itself the {best.name} is best on validation, but the {chosen.name} is cheaper and "
        f"only {_amount(choice['behind'][chosen.key], measure)} behind, no more than one "
        "standard error."
    )


def _amount(difference: Lead, measure: str) -> str:
    """Return a difference and its standard error in words."""
    error = words.apart(difference["error"], measure)
    return f"{words.lead(difference['value'], measure)} (standard error {error})"


def _against(
    chosen: Contestant, other: Contestant, difference: Lead, *, measure: str, where: str
) -> str:
    warning = ""
    if _is_sure(difference) and difference["value"] < 0:
        warning = " These rows say that it is the wrong choice."
    return (
        f"Against the best with another cell, the {other.name}: "
        f"{_interval(difference, measure)} on {where}, {_noise(difference)}.{warning}"
    )


def _price(chosen: Contestant, other: Contestant, *, embedding: int) -> str:
    own, others = (each.multiplications(embedding) for each in (chosen, other))
    return (
        f"A token costs it {own:,} multiplications and the {other.name} {others:,}; between tokens "
        f"it keeps {chosen.state:,} numbers, the other {other.state:,}."
    )


def _why_length(choice: Choice, length: str, *, measure: str) -> str:
    behind = choice["behind"][choice["chosen"]]
    if len(choice["behind"]) == 1:
        return "The texts are so short that reading less of them is no question."
    if length == "all":
        return "Whole texts are worth reading: every cut costs more than one standard error."
    if not behind["value"]:
        return f"Reading more than {length} tokens changes nothing for the better."
    return f"Reading more than {length} tokens brings only {_amount(behind, measure)}."

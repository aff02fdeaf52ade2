"""Writes the tables and plots of docs/lstm-and-gru.md from the reports of comparisons."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from benchmarks.pages import replace_block, table
from models.cells import CELLS
from training.comparison import figures
from training.report import words
from training.report.drawing import LIGHT, style_of

PAGE, PLOTS = "lstm-and-gru.md", "plots"
COMMAND = "make cells"
PRETRAINED = "-pretrained"  # behind the name of a dataset, where cells start from known networks
KNOWN = "imdb"  # whose labels the shipped networks know in part
LONG = "imdb"  # whose texts are long enough to show memory

Summary = Mapping[str, Any]
Summaries = Mapping[str, Summary]


def write_tutorial(reports: Path, *, docs: Path, names: Sequence[str]) -> None:
    """Write all blocks and plots.

    Args:
        reports: Folder of NAME.json, and of NAME-pretrained.json.
        docs: Folder of the page; plots go into a folder in it.
        names: Names of the datasets.
    """
    found = {name: _read(reports, name) for name in names}
    started = {name: _read(reports, name + PRETRAINED) for name in names if name != KNOWN}
    for name, draw in PLOTTED.items():
        _save(draw(found), docs / PLOTS / f"cells-{name}.svg")
    page = docs / PAGE
    text = page.read_text()
    for name, describe in BLOCKS.items():
        text = replace_block(text, name, describe(found), command=COMMAND)
    text = replace_block(text, "pretrained", _gains(found, started), command=COMMAND)
    page.write_text(text)


def _read(reports: Path, name: str) -> Summary:
    found: Summary = json.loads((reports / f"{name}.json").read_text())
    return found


def _save(draw: Callable[[], Figure], path: Path) -> None:
    own = {"svg.hashsalt": "gatewise", "svg.fonttype": "none"}  # the same figures, the same file
    with mpl.rc_context(style_of(LIGHT) | own):
        figure = draw()
        FigureCanvasSVG(figure).print_svg(path, metadata={"Date": None})


def _plot(name: str, dataset: str = LONG) -> Callable[[Summaries], Callable[[], Figure]]:
    return lambda found: dict(figures.plots(found[dataset], theme=LIGHT))[name]


PLOTTED: dict[str, Callable[[Summaries], Callable[[], Figure]]] = {
    name: _plot(name)
    for name in ("fading-state", "fading-verdict", "half-lives", "flips", "learning-steps", "norms")
} | {name: _plot(f"task-{name}") for name in ("recall", "adding", "brackets")}


def _sound(summary: Summary) -> list[Summary]:
    return figures.sound(dict(summary))


def _data(found: Summaries) -> str:
    rows = [
        [
            f"[{name}](comparisons/{name}.html)",
            words.number(each["data"]["train"]["rows"]),
            str(each["data"]["labels"]),
            words.number(each["data"]["tokens"]["0.5"]),
            words.number(each["data"]["judged"]["test"]["rows"]),
            str(len(each["settings"]["seeds"])),
        ]
        for name, each in found.items()
    ]
    columns = ("report", "training rows", "labels", "median tokens", "test rows", "seeds")
    return table(columns, rows)


def _fading(found: Summaries) -> str:
    rows = [
        [name, each["name"], _reach(each, "state"), _reach(each, "verdict")]
        for name, summary in found.items()
        for each in _sound(summary)
    ]
    return table(("data", "cell", "last state reaches back", "verdict reaches back"), rows)


def _reach(each: Summary, of: str) -> str:
    memory = each["memory"]
    reach, span = memory["reach"][of], len(memory["fading"][of])
    return f"all {span - 1} tokens" if reach == span - 1 else f"{reach} of {span - 1}"


def _half_lives(found: Summaries) -> str:
    rows = [
        [name, each["name"], *(words.amount(quantiles[q]) for q in ("0.1", "0.5", "0.9", "0.99"))]
        for name, summary in found.items()
        for each in _sound(summary)
        if (quantiles := each["memory"]["half_life_quantiles"])
    ]
    return table(("data", "cell", "1 of 10 below", "median", "9 of 10 below", "99 of 100"), rows)


def _tasks(found: Summaries) -> str:
    parts = []
    for task in found[LONG]["tasks"]:
        rows = []
        for cell, curve in task["curves"].items():
            shares = [words.percent(value) for value in curve["median"]]
            rows.append([CELLS[cell].title, *shares])
            rows.append(["… steps", *(words.number(steps) for steps in curve["steps"])])
        lags = [f"lag {lag}" for lag in task["lags"]]
        chance = words.percent(task["chance"])
        told = f"**{task['name'].capitalize()}.** {task['about']} Chance is {chance}."
        parts.append(f"{told} ({task['source']})")
        parts.append(f"![{task['name']}](plots/cells-{task['name']}.svg)")
        parts.append(table(("", *lags), rows))
    return "\n\n".join(parts)


def _flips(found: Summaries) -> str:
    inserted = found[LONG]["inserted"][1:]
    rows = [
        [name, each["name"], *(words.percent(share) for share in each["memory"]["flips"][1:])]
        for name, summary in found.items()
        for each in _sound(summary)
    ]
    return table(("data", "cell", *(f"{count:,} tokens" for count in inserted)), rows)


def _quality(found: Summaries) -> str:
    rows = []
    for name, summary in found.items():
        measure = summary["measure"]
        for each in _sound(summary):
            scores = each["scores"]["test"]
            alone, joined = (scores[kind][measure] for kind in ("alone", "joined"))
            seeds = ", ".join(words.figure(seed, measure) for seed in alone["seeds"])
            cells = [_figure(alone, measure), seeds, _figure(joined, measure)]
            rows.append([name, words.MEASURE[measure], each["name"], *cells])
        baseline = summary["baseline"]["scores"]["test"][measure]
        rows.append(
            [name, words.MEASURE[measure], "linear baseline", _figure(baseline, measure), "", ""]
        )
    return table(
        ("data", "measure", "cell", "alone (95 %)", "each seed", "with n-grams (95 %)"), rows
    )


def _figure(found: Summary, measure: str) -> str:
    return f"{words.figure(found['value'], measure)} ({words.interval(found, measure)})"


def _leads(found: Summaries) -> str:
    rows = []
    for name, summary in found.items():
        named = {each["key"]: each["name"] for each in summary["contestants"]}
        measure = summary["measure"]
        for pair in summary["leads"]["test"]:
            lead = pair["leads"][measure]
            low, high = (words.apart(lead[end], measure) for end in ("low", "high"))
            rows.append(
                [
                    name,
                    f"{named[pair['one']]} − {named[pair['other']]}",
                    ", ".join(pair["conditions"]),
                    f"{words.apart(lead['value'], measure, plus=True)} ({low} to {high})",
                    words.p_value(lead, bare=True),
                ]
            )
    return table(("data", "pair", "condition", "difference on test (95 %)", "p"), rows)


def _gains(found: Summaries, started: Summaries) -> str:
    """Return the scores of each cell that starts from nothing, and from a pretrained network."""
    rows = []
    for name, summary in started.items():
        measure = summary["measure"]
        unknowing = {each["key"]: each for each in found[name]["contestants"]}
        for each in _sound(summary):
            if not unknowing[each["key"]]["scores"]:
                continue
            cells = []
            for one in (unknowing[each["key"]], each):
                scores = one["scores"]["test"]
                cells += [_figure(scores[kind][measure], measure) for kind in ("alone", "joined")]
            rows.append(
                [
                    f"[{name}](comparisons/{name}{PRETRAINED}.html)",
                    words.MEASURE[measure],
                    each["name"],
                    *cells,
                ]
            )
    columns = ("alone", "with n-grams", "alone, pretrained", "with n-grams, pretrained")
    return table(("data", "measure", "cell", *columns), rows) + "\n\n" + _leads(started)


def _ease(found: Summaries) -> str:
    rows = [
        [
            name,
            each["name"],
            ", ".join(map(str, each["ease"]["best_epochs"])),
            words.amount(each["ease"]["median_norm"]),
            words.amount(each["ease"]["largest_norm"]),
            str(len(each["failures"])),
        ]
        for name, summary in found.items()
        for each in _sound(summary)
    ]
    columns = ("data", "cell", "best epoch", "median norm", "largest norm", "failed")
    return table(columns, rows)


def _cost(found: Summaries) -> str:
    rows = [
        [
            each["name"],
            words.number(each["weights"]),
            words.number(each["multiplications"]),
            words.number(each["effort"]["tokens_per_second"]),
            *(words.amount(each["cost"]["engines"][name]["texts"][-1]) for name in ENGINES),
            *(words.decimal(each["cost"]["engines"][name]["token"]) for name in ENGINES),
            words.amount(each["cost"]["engines"]["onnx"]["microseconds"]),
        ]
        for each in _sound(found[LONG])
    ]
    columns = (
        "cell",
        "weights",
        "multiplications a token",
        "training, tokens/s",
        *(f"{name}, ms a text" for name in ENGINES),
        *(f"{name}, ms one more token" for name in ENGINES),
        "onnx, CPU s a million tokens",
    )
    return table(columns, rows)


ENGINES = ("onnx", "savedmodel")


def _cuts(found: Summaries) -> str:
    summary = found[LONG]
    rows = [
        [each["name"], *(words.figure(cut["value"], summary["measure"]) for cut in each["cuts"])]
        for each in _sound(summary)
    ]
    return table(("cell", *(f"{cut} tokens" for cut in summary["cuts"])), rows)


def _verdicts(found: Summaries) -> str:
    parts = []
    for name, summary in found.items():
        verdict = summary["verdict"]
        reasons = "\n".join(f"  - {reason}" for reason in verdict["reasons"])
        parts.append(f"- **{name}**: {verdict['headline']}\n{reasons}")
    return "\n".join(parts)


BLOCKS: dict[str, Callable[[Summaries], str]] = {
    "data": _data,
    "fading": _fading,
    "half-lives": _half_lives,
    "tasks": _tasks,
    "flips": _flips,
    "quality": _quality,
    "leads": _leads,
    "ease": _ease,
    "cost": _cost,
    "cuts": _cuts,
    "verdicts": _verdicts,
}

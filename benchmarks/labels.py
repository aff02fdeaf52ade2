"""Measures how far a few labels go: with the shipped network, an encoder, words, and without all.

Rows are drawn from train, the same for all. A figure is that of the test split, as the trained
classifier gives it, with the default settings and the median of the seeds. The linear baseline
stands beside it. Results stay in a JSON file, so figures can be measured one at a time, and the
plot is drawn of those that are there.

    python -m benchmarks.labels --data FOLDER --results labels.json [--only emotion] [--rows 300] \
        [--kinds shipped] [--seeds 3] [--vectors ENCODER] [--encoder ENCODER --unlabeled TEXTS]
"""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import matplotlib as mpl
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import typer
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from training.calibration.metrics import measure
from training.console import hushed
from training.defaults import complete
from training.linear.baseline import fit_baseline
from training.prepare import prepare
from training.pretrained.shipped import find_offer
from training.recipe.learn import learn
from training.report.drawing import LIGHT, style_of
from training.run import Run, start_repeatably
from training.settings import SETTINGS, TrainSettings
from training.vectors.opening import open_encoder, open_vectors
from training.vectors.table import make_table

SIZES = (100, 300, 1_000, 3_000, None)
DRAWN = 0  # seed of the rows
SPLITS = ("train", "validation", "test")

Figures = dict[str, float]


@dataclass(frozen=True)
class Data:
    """A dataset.

    Args:
        name: Its name in the plot.
        folder: Its folder under the folder of the data.
        metric: Metric of the figures.
        only_one: Whether to take only rows with one label, of those with several.
    """

    name: str
    folder: str
    metric: str = "accuracy"
    only_one: bool = False


DATA = (
    Data("emotion", "tweet_emotion", "macro_f1"),
    Data("Rotten Tomatoes", "rotten_tomatoes"),
    Data("SST-2", "sst2"),
    Data("GoEmotions", "go_emotions", "macro_f1"),
    Data("GoEmotions, one label", "go_emotions", "macro_f1", only_one=True),
    Data("IMDB", "imdb"),
)
TITLES = {
    "shipped": "from the shipped network",
    "encoder": "with an encoder too",
    "words": "words alone",
    "alone": "without both",
    "baseline": "linear baseline",
}
KINDS = tuple(TITLES)[:4]


def main(
    data: Annotated[Path, typer.Option(help="Folder with a folder for each dataset.")],
    results: Annotated[Path, typer.Option(help="File of the results.")],
    only: Annotated[list[str] | None, typer.Option(help="Names of datasets.")] = None,
    rows: Annotated[
        list[int] | None, typer.Option(help="Numbers of rows, 0 for all; each if absent.")
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option(help=f"Of: {', '.join(KINDS)}; each if absent.")
    ] = None,
    cell: Annotated[str, typer.Option(help="Cell of the network.")] = "gru",
    seeds: Annotated[int, typer.Option(help="Trainings of each figure.")] = 1,
    vectors: Annotated[
        str | None, typer.Option(help="Source of the vectors of words; without it, no words.")
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Sentence encoder; without it, no training is taught.")
    ] = None,
    unlabeled: Annotated[
        str | None, typer.Option(help="Texts that the encoder teaches, beside those of train.")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder that keeps what an encoder computed.")
    ] = None,
    draw: Annotated[Path | None, typer.Option(help="File of the plot.")] = None,
) -> None:
    """Measure figures that have not been measured yet, and print the table."""
    found: dict[str, Figures] = json.loads(results.read_text()) if results.exists() else {}
    asked: dict[str, dict[str, Any] | None] = {
        "shipped": {},
        "encoder": {"encoder": encoder, "unlabeled": unlabeled} if encoder else None,
        "words": {"vectors": vectors} if vectors else None,
        "alone": {"pretrained": False},
    }
    wanted = {kind: options for kind in kinds or KINDS if (options := asked[kind]) is not None}
    for each in DATA:
        for size in SIZES:
            if (only and each.name not in only) or (rows and (size or 0) not in rows):
                continue
            with tempfile.TemporaryDirectory() as scratch:
                drawn = _draw_rows(each, data, size, folder=Path(scratch) / "rows")
                for kind, seed in ((kind, 1 + n) for kind in wanted for n in range(seeds)):
                    key = f"{each.name}/{drawn}/{cell}/{kind}/{seed}"
                    if key in found:
                        continue
                    options = wanted[kind] | {"cell": cell, "seed": seed}
                    found[key] = _train(each, Path(scratch), options, work=work)
                    typer.echo(f"{key}: {found[key]}")
                    results.write_text(json.dumps(found, indent=1))
    typer.echo(_table(found))
    if draw is not None:
        _plot(found, draw)


def _draw_rows(data: Data, source: Path, size: int | None, *, folder: Path) -> int:
    """Write the splits to a folder, train with so many drawn rows; return their number."""
    folder.mkdir()
    rows = 0
    for split in SPLITS:
        path = source / data.folder / f"{split}.parquet"
        if not path.is_file():
            continue
        table = _take_single(pq.read_table(path)) if data.only_one else pq.read_table(path)
        if split == "train" and size is not None and size < table.num_rows:
            order = np.random.default_rng(DRAWN).permutation(table.num_rows)
            table = table.take(np.sort(order[:size]))
        rows = table.num_rows if split == "train" else rows
        pq.write_table(table, folder / path.name)
    return rows


def _take_single(table: pa.Table) -> pa.Table:
    """Return the rows with one label, as a column of one label."""
    table = table.filter(pc.equal(pc.list_value_length(table["labels"]), 1))
    label = pc.list_element(table["labels"], 0)
    return pa.table({"text": table["text"], "label": label})


def _train(
    data: Data, scratch: Path, asked: Mapping[str, Any], *, work: Path | None = None
) -> Figures:
    """Return the figures of a training and of its baseline, and the seconds of the first."""
    defaults = {name: _default(each.field.default) for name, each in SETTINGS.items()}
    defaults["vocabulary"] = None  # which texts without labels decide
    named = {"dataset": str(scratch / "rows"), "name": "measured"}
    values = complete(defaults | named | dict(asked), start=None, budgeted=False)
    settings = TrainSettings.of({name: values[name] for name in values if values[name] != MISSING})
    started = time.monotonic()
    with hushed():
        run = _prepare(settings, work or scratch / "work")
        start_repeatably(settings.seed)
        learned = learn(run)
        seconds = time.monotonic() - started
        baseline = fit_baseline(run.prepared.data, score=run.score, seed=settings.seed)
        run.clean_up()
    figures = {"baseline": baseline.metrics["test"][data.metric], "seconds": seconds}
    for name, purpose in (("figure", "test"), ("validation", "validation")):
        given = learned.classifier.probabilities(run.prepared.ids[purpose])
        truth, rule = run.prepared.data.splits[purpose].labels, learned.classifier.rule
        figures[name] = measure(given, truth, rule=rule)[data.metric]
    return figures


def _default(value: Any) -> Any:
    return None if value is MISSING else value


def _prepare(settings: TrainSettings, work: Path) -> Run:
    """Return the training that the command `train` would do."""
    offered = find_offer(settings)
    prepared = prepare(settings, offered=offered.tokenizer if offered else None)
    settings = replace(settings, pretrained=prepared.took_offer)
    words = None
    if settings.vectors is not None:
        source, width = open_vectors(settings.vectors), settings.network.embedding
        words = make_table(source, prepared.tokenizer.tokens, width=width, seed=settings.seed)
    return Run(
        prepared=prepared,
        settings=settings,
        work=work,
        vectors=words,
        pretrained=offered if prepared.took_offer else None,
        encoder=open_encoder(settings.encoder) if settings.encoder is not None else None,
    )


def _lines(found: dict[str, Figures]) -> dict[tuple[str, str], dict[str, dict[int, float]]]:
    """Return the figures by rows, of each line of each dataset and cell."""
    lines: dict[tuple[str, str], dict[str, dict[int, float]]] = {}
    for (name, rows, cell, kind), figures in _medians(found):
        of = lines.setdefault((name, cell), {title: {} for title in TITLES})
        of[kind][int(rows)] = figures["figure"]
        of["baseline"][int(rows)] = figures["baseline"]
    return lines


def _medians(found: dict[str, Figures]) -> Iterator[tuple[list[str], Figures]]:
    """Yield the medians over the seeds, with data, rows, cell and kind."""
    grouped: dict[str, list[Figures]] = {}
    for key, figures in found.items():
        grouped.setdefault(key.rpartition("/")[0], []).append(figures)
    for key, several in grouped.items():
        yield (
            key.split("/"),
            {name: statistics.median(each[name] for each in several) for name in several[0]},
        )


def _table(found: dict[str, Figures]) -> str:
    """Return the table in Markdown, in percent."""
    rows = [
        "| data | cell | rows | " + " | ".join(TITLES.values()) + " |",
        "|---|---|---|" + "---|" * len(TITLES),
    ]
    for (name, cell), of in _lines(found).items():
        for size in sorted(of["baseline"]):
            shown = [f"{100 * of[kind][size]:.1f}" if size in of[kind] else "" for kind in TITLES]
            rows.append(f"| {name} | {cell} | {size:,} | {' | '.join(shown)} |")
    return "\n".join(rows)


def _plot(found: dict[str, Figures], path: Path) -> None:
    """Draw a panel for each dataset, of the GRU."""
    lines = {name: of for (name, cell), of in _lines(found).items() if cell == "gru"}
    panels = {name: of for name, of in lines.items() if len(of["shipped"]) > 1}
    looks = {
        "shipped": {"color": LIGHT.network, "marker": "o"},
        "encoder": {"color": LIGHT.network, "marker": "D"},
        "words": {"color": LIGHT.network, "marker": "^", "linestyle": "-."},
        "alone": {"color": LIGHT.network, "marker": "o", "linestyle": "--", "markerfacecolor": "w"},
        "baseline": {"color": LIGHT.other, "marker": "s", "linestyle": ":"},
    }
    with mpl.rc_context(style_of(LIGHT) | {"svg.hashsalt": "gatewise", "svg.fonttype": "path"}):
        figure = Figure(figsize=(2.5 * len(panels), 2.9), layout="constrained")
        for place, (name, of) in enumerate(panels.items(), start=1):
            axes = figure.add_subplot(1, len(panels), place)
            for kind, title in TITLES.items():
                if not (sizes := sorted(of[kind])):
                    continue
                values = [100 * of[kind][size] for size in sizes]
                axes.plot(sizes, values, label=title, markersize=4, linewidth=1.4, **looks[kind])
            axes.set_xscale("log")
            sizes = _apart(sorted(of["baseline"]))
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
            axes.xaxis.set_minor_locator(NullLocator())
            metric = next(data.metric for data in DATA if data.name == name)
            axes.set_title(f"{name}, {metric.replace('_', '-').replace('f1', 'F1')}", fontsize=9)
            axes.set_xlabel("labelled rows", fontsize=8)
            axes.tick_params(labelsize=8)
        handles, labels = figure.axes[0].get_legend_handles_labels()  # the first has all lines
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
        figure.savefig(path, metadata={"Date": None})


def _apart(sizes: list[int]) -> list[int]:
    """Return the sizes whose labels do not run into each other, the last among them."""
    far = sizes[-1] / sizes[0]
    kept = [sizes[-1]]
    for size in reversed(sizes):
        if (kept[-1] / size) > far**0.2:
            kept.append(size)
    return kept[::-1]


if __name__ == "__main__":
    typer.run(main)

"""Measures how far a few labels go: with the shipped network, without it, and the linear baseline.

Rows are drawn from train, the same for all. Each figure is that of the test split of one training
with the default settings. The results stay in a JSON file, so figures can be measured one at a
time, and the plot is drawn of those that are there.

    python -m benchmarks.labels --data FOLDER --results labels.json [--only emotion] [--rows 300]
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import matplotlib as mpl
import numpy as np
import pyarrow.parquet as pq
import typer
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from training.report.drawing import LIGHT, style_of

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
    """

    name: str
    folder: str
    metric: str = "accuracy"


DATA = (
    Data("emotion", "tweet_emotion", "macro_f1"),
    Data("Rotten Tomatoes", "rotten_tomatoes"),
    Data("SST-2", "sst2"),
    Data("GoEmotions", "go_emotions", "macro_f1"),
    Data("IMDB", "imdb"),
)
KINDS = {"shipped": [], "alone": ["--no-pretrained"]}
TITLES = {
    "shipped": "from the shipped network",
    "alone": "without it",
    "baseline": "linear baseline",
}


def main(
    data: Annotated[Path, typer.Option(help="Folder with a folder for each dataset.")],
    results: Annotated[Path, typer.Option(help="File of the results.")],
    only: Annotated[list[str] | None, typer.Option(help="Names of datasets.")] = None,
    rows: Annotated[
        list[int] | None, typer.Option(help="Numbers of rows, 0 for all; each if absent.")
    ] = None,
    kinds: Annotated[list[str] | None, typer.Option(help="Of: shipped, alone.")] = None,
    cell: Annotated[str, typer.Option(help="Cell of the network.")] = "gru",
    draw: Annotated[Path | None, typer.Option(help="File of the plot.")] = None,
) -> None:
    """Measure figures that have not been measured yet, and print the table."""
    found: dict[str, Figures] = json.loads(results.read_text()) if results.exists() else {}
    for each in DATA:
        for size in SIZES:
            if (only and each.name not in only) or (rows and (size or 0) not in rows):
                continue
            with tempfile.TemporaryDirectory() as scratch:
                drawn = _draw_rows(data / each.folder, size, folder=Path(scratch) / "rows")
                for kind in kinds or KINDS:
                    key = f"{each.name}/{drawn}/{cell}/{kind}"
                    if key not in found:
                        found[key] = _train(each, Path(scratch), kind=kind, cell=cell)
                        results.write_text(json.dumps(found, indent=1))
    typer.echo(_table(found))
    if draw is not None:
        _plot(found, draw)


def _draw_rows(source: Path, size: int | None, *, folder: Path) -> int:
    """Write the splits to a folder, train with so many drawn rows; return their number."""
    folder.mkdir()
    rows = 0
    for split in SPLITS:
        path = source / f"{split}.parquet"
        if not path.is_file():
            continue
        table = pq.read_table(path)
        if split == "train" and size is not None and size < table.num_rows:
            order = np.random.default_rng(DRAWN).permutation(table.num_rows)
            table = table.take(np.sort(order[:size]))
        rows = table.num_rows if split == "train" else rows
        pq.write_table(table, folder / path.name)
    return rows


def _train(data: Data, scratch: Path, *, kind: str, cell: str) -> Figures:
    """Return the figure of a training and that of its baseline."""
    with tempfile.TemporaryDirectory() as store:
        command = ["train", "--dataset", str(scratch / "rows"), "--name", "measured"]
        command += ["--cell", cell, *KINDS[kind]]
        command += ["--store", store, "--work", str(scratch / "work")]
        subprocess.run([sys.executable, "-m", "training", *command], check=True)
        path = Path(store) / "measured" / "1" / "assets.extra" / "metadata.json"
        metadata = json.loads(path.read_text())
    figure, baseline = (metadata[part]["test"][data.metric] for part in ("metrics", "baseline"))
    chosen = metadata["metrics"]["validation"][data.metric]
    return {"figure": figure, "baseline": baseline, "validation": chosen}


def _lines(found: dict[str, Figures]) -> dict[tuple[str, str], dict[str, dict[int, float]]]:
    """Return the figures by rows, of each line of each dataset and cell."""
    lines: dict[tuple[str, str], dict[str, dict[int, float]]] = {}
    for key, figures in found.items():
        name, rows, cell, kind = key.split("/")
        of = lines.setdefault((name, cell), {title: {} for title in TITLES})
        of[kind][int(rows)] = figures["figure"]
        of["baseline"][int(rows)] = figures["baseline"]
    return lines


def _table(found: dict[str, Figures]) -> str:
    """Return the table in Markdown, in percent."""
    rows = [
        "| data | cell | rows | " + " | ".join(TITLES.values()) + " |",
        "|---|---|---|---|---|---|",
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
        "alone": {"color": LIGHT.network, "marker": "o", "linestyle": "--", "markerfacecolor": "w"},
        "baseline": {"color": LIGHT.other, "marker": "s", "linestyle": ":"},
    }
    with mpl.rc_context(style_of(LIGHT) | {"svg.hashsalt": "gatewise", "svg.fonttype": "path"}):
        figure = Figure(figsize=(2.5 * len(panels), 2.9), layout="constrained")
        for place, (name, of) in enumerate(panels.items(), start=1):
            axes = figure.add_subplot(1, len(panels), place)
            for kind, title in TITLES.items():
                sizes = sorted(of[kind])
                values = [100 * of[kind][size] for size in sizes]
                axes.plot(sizes, values, label=title, markersize=4, linewidth=1.4, **looks[kind])
            axes.set_xscale("log")
            sizes = sorted(of["baseline"])
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
            axes.xaxis.set_minor_locator(NullLocator())
            metric = next(data.metric for data in DATA if data.name == name)
            axes.set_title(f"{name}, {metric.replace('_', '-').replace('f1', 'F1')}", fontsize=9)
            axes.set_xlabel("labelled rows", fontsize=8)
            axes.tick_params(labelsize=8)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
        figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    typer.run(main)

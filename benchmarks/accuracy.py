"""Measures accuracy on real datasets, beside the linear baseline of the same run.

Each line is one command, or one for each of three seeds if it takes up to five minutes. Only the
last step of a training looks at test rows. The results stay in a JSON file, so lines can be
measured one at a time.

    python -m benchmarks.accuracy --data FOLDER --results accuracy.json [--only sst2]
"""

import json
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

THREE = (1, 2, 3)
ALONE = "--no-pretrained"  # benchmarks.labels measures what starts from the shipped network


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Args:
        name: Name of the line.
        dataset: Folder under the folder of the data.
        options: Options of `train` beside dataset, name and seed; `{data}` is that folder.
        metric: Metric of the table.
        seeds: One run for each.
    """

    name: str
    dataset: str
    options: str = ""
    metric: str = "accuracy"
    seeds: tuple[int, ...] = (1,)


LINES = (
    Line("imdb", "imdb", ALONE),
    Line("imdb, unlabelled", "imdb", "--unlabeled {data}/imdb --self-training 1"),
    Line("sst2", "sst2", f"--text-column sentence {ALONE}", seeds=THREE),
    Line("sst2, IMDB", "sst2", "--text-column sentence --unlabeled {data}/imdb", seeds=THREE),
    Line("rotten_tomatoes", "rotten_tomatoes", ALONE, seeds=THREE),
    Line("rotten_tomatoes, IMDB", "rotten_tomatoes", "--unlabeled {data}/imdb", seeds=THREE),
    Line("tweet_emotion", "tweet_emotion", ALONE, metric="macro_f1", seeds=THREE),
    Line("go_emotions", "go_emotions", ALONE, metric="macro_f1", seeds=THREE),
)


@dataclass(frozen=True)
class Measured:
    """The result of one run: figures of the test split, and minutes from start to end."""

    seed: int
    figure: float
    baseline: float
    minutes: float


def main(
    data: Annotated[Path, typer.Option(help="Folder with a folder for each dataset.")],
    results: Annotated[Path, typer.Option(help="File of the results.")],
    only: Annotated[list[str] | None, typer.Option(help="Names of lines to measure.")] = None,
    work: Annotated[Path, typer.Option(help="Folder of encoders, kept between runs.")] = Path(
        "runs"
    ),
) -> None:
    """Measure lines that have not been measured yet, and print the table."""
    found: dict[str, list[Any]] = json.loads(results.read_text()) if results.exists() else {}
    for line in LINES:
        if only and line.name not in only:
            continue
        runs = found.setdefault(line.name, [])
        for seed in line.seeds:
            if seed not in [run["seed"] for run in runs]:
                runs.append(asdict(_run(line, seed=seed, data=data, work=work)))
                results.write_text(json.dumps(found, indent=1))
    typer.echo(_table(found))


def _run(line: Line, *, seed: int, data: Path, work: Path) -> Measured:
    with tempfile.TemporaryDirectory() as store:
        options = shlex.split(line.options.format(data=shlex.quote(str(data))))
        command = ["train", "--dataset", str(data / line.dataset), "--name", "measured", *options]
        command += ["--seed", str(seed), "--store", store, "--work", str(work)]
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "training", *command], check=True)
        minutes = (time.perf_counter() - started) / 60
        metadata = json.loads(
            (Path(store) / "measured" / "1" / "assets.extra" / "metadata.json").read_text()
        )
    figure, baseline = (metadata[part]["test"][line.metric] for part in ("metrics", "baseline"))
    return Measured(seed, figure, baseline, minutes)


def _table(found: dict[str, list[Any]]) -> str:
    """Return the table in Markdown: medians over the seeds."""
    head = "| data | options | figure | Gatewise | linear baseline | minutes |"
    rows = [head, "|---|---|---|---|---|---|"]
    for line in LINES:
        runs = found.get(line.name)
        if not runs:
            continue
        figure, baseline, minutes = (
            statistics.median(run[name] for run in runs)
            for name in ("figure", "baseline", "minutes")
        )
        each = ", ".join(f"{100 * run['figure']:.1f}" for run in runs) if len(runs) > 1 else ""
        rows.append(
            f"| {line.dataset} | {f'`{line.options}`' if line.options else 'none'} "
            f"| {line.metric.replace('_', '-')} | **{100 * figure:.1f}**"
            f"{f' ({each})' if each else ''} | {100 * baseline:.1f} | {minutes:.1f} |"
        )
    return "\n".join(rows).replace("{data}", "DATA")


if __name__ == "__main__":
    typer.run(main)

"""The command `evaluate`: measures a published version on labelled text."""

from pathlib import Path
from typing import Annotated

import typer

from models.command_line import StoreOption
from models.registry import STORE, Store
from models.replay import EngineName
from training.commands.options import (
    DATA,
    Asked,
    find_version,
    reading_of,
    setting,
    takes,
    write_json,
)


@takes(*map(setting, DATA))
def evaluate(
    asked: Asked,
    *,
    model: Annotated[str, typer.Argument(help="NAME, NAME:VERSION or NAME:LABEL.")],
    split: Annotated[str | None, typer.Option(help="Split to measure on; test if absent.")] = None,
    engine: Annotated[EngineName, typer.Option(help="Engine to compute with.")] = "onnx",
    report: Annotated[
        Path | None, typer.Option(help="New folder for the report, HTML and plots.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="File for all figures; - for standard output.")
    ] = None,
    store: StoreOption = STORE,
) -> None:
    """Measure a published version on labelled text."""
    from training.data.sources import load_source
    from training.evaluation.published import Selection, evaluate_version
    from training.report.summary import summarize
    from training.report.terminal import print_summary
    from training.report.write import write_report

    version = find_version(Store(store), model)
    reading = reading_of(asked)
    source = load_source(
        asked["dataset"], config=asked["config"], revision=asked["revision"], reading=reading
    )
    selection = Selection(split=split, reading=reading)
    results = evaluate_version(version, source, selection=selection, engine=engine)
    summary = summarize(results) if report is None else write_report(results, folder=report)
    print_summary(summary)
    if json is not None:
        write_json(summary, path=json)

"""The command `inspect`: finds what is wrong with a dataset."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from training.commands.options import DATA, Asked, reading_of, setting, takes, write_json


@takes(
    *map(setting, DATA),
    setting("seed", help="Decides which rows judge which (a whole number)"),
)
def inspect(
    asked: Asked,
    *,
    json: Annotated[
        Path | None,
        typer.Option(help="File for all findings with every row number; - for standard output."),
    ] = None,
) -> None:
    """Find what is wrong with a dataset: duplicates, leaks, contradictions, doubtful labels."""
    from training.data.sources import load_source
    from training.inspection.doctor import inspect_source
    from training.inspection.terminal import print_findings
    from training.pretrained.shipped import read_tokenizer

    reading = reading_of(asked)
    source = load_source(
        asked["dataset"], config=asked["config"], revision=asked["revision"], reading=reading
    )
    findings = inspect_source(source, reading=reading, seed=asked["seed"], english=read_tokenizer())
    print_findings(findings)
    if json is not None:
        write_json(asdict(findings), path=json)

"""The command `curve`: says how many labels are enough, and which rows to label next."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from training.commands.options import (
    DATA,
    WORK,
    Asked,
    WorkOption,
    name_of,
    setting,
    start_tensorflow,
    takes,
)
from training.defaults import USUAL
from training.errors import TrainingError
from training.settings import TrainSettings


@takes(
    *map(setting, DATA),
    setting("unlabeled", help="Texts to choose rows from that are worth a label; a dataset"),
    setting("cell", default=USUAL["cell"]),
    setting("pretrained"),
    setting("seed", help="Decides the validation rows where the data has none (a whole number)"),
)
def curve(
    asked: Asked,
    *,
    draws: Annotated[
        int, typer.Option(min=1, max=20, help="Trainings of each number of rows.")
    ] = 3,
    next: Annotated[
        Path | None,
        typer.Option(help="CSV or JSONL file for the rows of --unlabeled to label next."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many rows to label next.")] = 100,
    out: Annotated[
        Path | None, typer.Option(help="Folder of plot and figures; if absent runs/curve/DATASET.")
    ] = None,
    work: WorkOption = WORK,
) -> None:
    """Measure how accuracy grows with labelled rows, and say what more are likely to bring."""
    from training.labelling.candidates import check_target, read_candidates

    if (next is None) != (asked["unlabeled"] is None):
        raise TrainingError("--next and --unlabeled belong together; give both or none")
    if next is not None:
        check_target(next)
    corpus = asked.pop("unlabeled")
    name = name_of(asked["dataset"])
    settings = TrainSettings.of(asked | {"name": name})
    folder = out or work / "curve" / name

    from training.prepare import prepare
    from training.pretrained.shipped import find_offer

    offered = find_offer(settings)
    prepared = prepare(settings, offered=offered.tokenizer if offered else None)
    settings = replace(settings, pretrained=prepared.took_offer)
    texts = read_candidates(corpus, data=prepared.data, reading=settings.reading) if corpus else []
    start_tensorflow()

    from training.labelling.curve import measure_curve
    from training.labelling.next_rows import find_next, write_next
    from training.labelling.points import fit_all
    from training.labelling.terminal import print_curve
    from training.labelling.write import write_curve
    from training.run import Run
    from training.workspace.interrupt import Interrupted

    run = Run(
        prepared=prepared,
        settings=settings,
        work=work / "curve" / name,
        pretrained=offered if prepared.took_offer else None,
    )
    with run.lock():
        try:
            found = measure_curve(run, draws=draws)
            print_curve(found)
            write_curve(found, folder=folder)
            if next is not None:
                rows = find_next(run, fit_all(run), texts, count=count)
                write_next(rows, next)
        except Interrupted as interrupt:
            typer.echo("stopped; complete trainings are kept, give the same command", err=True)
            raise typer.Exit(128 + interrupt.number) from interrupt

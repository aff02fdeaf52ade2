"""The command `tune`: looks for better settings than the defaults."""

import time
from pathlib import Path
from typing import Annotated

import typer

from models.installation import install_command
from training.commands.options import (
    DATA,
    WORK,
    Asked,
    RayOption,
    setting,
    start_tensorflow,
    takes,
    with_name,
)
from training.defaults import USUAL
from training.errors import TrainingError
from training.settings import TrainSettings

TOGETHER = 4


@takes(
    *map(setting, DATA),
    setting("name", help="Model to find settings for"),
    setting("cell", default=USUAL["cell"]),
    setting("seed"),
)
def tune(
    asked: Asked,
    *,
    minutes: Annotated[
        float,
        typer.Option(
            min=0,
            max=1e6,
            help="Time for all trials (minutes); the first one is always completed.",
        ),
    ] = 30,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Trials at most; if absent as many as time allows.")
    ] = None,
    together: Annotated[
        int,
        typer.Option(
            min=1,
            max=1_024,
            help="Trials that are proposed before the first of them is known, so that as many can "
            "run side by side. It decides what is tried; the number of machines does not.",
        ),
    ] = TOGETHER,
    ray: RayOption = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Resume the tuning of that name; else start a new one."),
    ] = False,
    work: Annotated[
        Path, typer.Option(help="Folder of the trials, in tune/NAME.", envvar="GATEWISE_WORK")
    ] = WORK,
) -> None:
    """Look for settings that are better than the defaults, on validation rows only."""
    started = time.monotonic()
    from training.prepare import prepare

    check_installed()
    asked = with_name(asked)
    settings = TrainSettings.of(asked | {"pretrained": False})  # trials differ in shape
    prepared = prepare(settings)
    start_tensorflow()

    from training.run import Run
    from training.tuning.tune import Limits
    from training.tuning.tune import tune as search
    from training.workers import open_workers

    run = Run(prepared=prepared, settings=settings, work=work, resume=resume)
    limits = Limits(seconds=60 * minutes, trials=trials, started=started, together=together)
    with open_workers(ray, seed=settings.seed) as workers:
        search(run, limits=limits, workers=workers)


def check_installed() -> None:
    """Raise TrainingError if Optuna is missing."""
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise TrainingError(
            f"tuning needs Optuna, which cannot be imported ({error}); install it: "
            f"{install_command('tune')}"
        ) from error

"""The command line: `python -m training …`."""

import re
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, get_args

import typer
from pydantic import TypeAdapter, ValidationError

from models.errors import GatewiseError
from models.metadata import Name
from models.quiet_start import quiet_start
from models.replay import EngineName
from models.versions import Store, Version
from training.errors import TrainingError
from training.settings import (
    Budget,
    Cell,
    ClassWeight,
    FitSettings,
    NetworkSettings,
    PretrainSettings,
    TrainSettings,
)
from training.workspace.interrupt import Interrupted

BAD_INPUT = 2
GENTLER = 1e-3  # learning rate, so that what was pretrained is not unlearned
LARGEST_SEED = 2**32 - 1

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def _check_name(name: str) -> str:
    try:
        return TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise typer.BadParameter(
            f"{name!r} is no name: 1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first"
        ) from error


DatasetOption = Annotated[
    str, typer.Option(help="CSV, TSV, JSON, JSONL or Parquet file, folder, or Hub id.")
]
ConfigOption = Annotated[str | None, typer.Option(help="Configuration of a Hub dataset.")]
RevisionOption = Annotated[
    str | None, typer.Option(help="Hub branch, tag or commit; if absent the newest.")
]
TextColumnOption = Annotated[str | None, typer.Option(help="Column of the text; found if absent.")]
LabelColumnOption = Annotated[
    str | None, typer.Option(help="Column of the label; found if absent.")
]
SubwordsOption = Annotated[
    bool | None,
    typer.Option(
        "--subwords/--no-subwords",
        help="Whether words that are spelled alike share what they learn; if absent where texts "
        "are few.",
    ),
]
PatienceOption = Annotated[int, typer.Option(min=1, help="Epochs without gain to go on.")]
SeedOption = Annotated[
    int, typer.Option(min=0, max=LARGEST_SEED, help="Decides all that is random.")
]
StoreOption = Annotated[Path, typer.Option(help="Folder of the versions.", envvar="GATEWISE_STORE")]


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Train text classifiers and manage their versions."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def train(
    dataset: DatasetOption,
    name: Annotated[
        str, typer.Option(help="Model to publish a new version of.", callback=_check_name)
    ],
    cell: Annotated[Cell | None, typer.Option(help="Recurrent cell; gru if absent.")] = None,
    config: ConfigOption = None,
    revision: RevisionOption = None,
    text_column: TextColumnOption = None,
    label_column: LabelColumnOption = None,
    vocabulary: Annotated[
        int, typer.Option(min=100, help="Tokens at most.")
    ] = TrainSettings.vocabulary,
    max_tokens: Annotated[
        int, typer.Option(min=1, help="Tokens after which a training text is cut.")
    ] = TrainSettings.max_tokens,
    start_from: Annotated[
        str | None,
        typer.Option("--from", help="NAME or NAME:VERSION whose network is gone on with."),
    ] = None,
    unlabeled: Annotated[
        str | None,
        typer.Option(help="More texts of the same kind; a dataset, or DATASET:SPLIT."),
    ] = None,
    pretraining: Annotated[
        int | None,
        typer.Option(min=1, help="Passes over them to learn the language; 3 if absent."),
    ] = None,
    self_training: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=3,
            help="Rounds of learning what it thinks of them; 0, or 1 with --time-budget.",
        ),
    ] = None,
    units: Annotated[
        int | None,
        typer.Option(
            min=1, help="Width of a recurrent layer; if absent 128, or 256 with --unlabeled."
        ),
    ] = None,
    layers: Annotated[
        int | None, typer.Option(min=1, max=8, help="Recurrent layers; 1 if absent.")
    ] = None,
    embedding: Annotated[
        int | None, typer.Option(min=1, help="Width of a token's vector; 128 if absent.")
    ] = None,
    dropout: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of channels.")
    ] = NetworkSettings.dropout,
    word_dropout: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of tokens.")
    ] = NetworkSettings.word_dropout,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Passes over the rows; if absent 2, more for few or short rows."),
    ] = None,
    patience: PatienceOption = FitSettings.patience,
    batch: Annotated[int, typer.Option(min=1, help="Texts per step.")] = FitSettings.batch,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            min=1e-6, max=1, help="Highest rate; 0.002, or 0.001 with --unlabeled or --from."
        ),
    ] = None,
    adversarial: Annotated[
        float,
        typer.Option(min=0, max=10, help="How far texts are moved against their label; 0: not."),
    ] = FitSettings.adversarial,
    ngrams: Annotated[
        bool, typer.Option(help="Whether to put a table of n-grams beside the network.")
    ] = TrainSettings.ngrams,
    subwords: SubwordsOption = TrainSettings.subwords,
    class_weight: Annotated[
        ClassWeight, typer.Option(help="What rows of rare labels count in the loss.")
    ] = TrainSettings.class_weight,
    seed: SeedOption = TrainSettings.seed,
    time_budget: Annotated[
        float | None,
        typer.Option(min=0.1, help="Minutes that all may take; what does not fit is left out."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a stopped training of that name was.")
    ] = False,
    work: Annotated[
        Path, typer.Option(help="Folder of checkpoints and logs.", envvar="GATEWISE_WORK")
    ] = Path("runs"),
    store: StoreOption = Path("models/store"),
) -> None:
    """Train a classifier on labelled text and publish it."""
    from training.defaults import choose_shape
    from training.prepare import prepare
    from training.tracking.mlflow import check_installed
    from training.workspace.lock import refuse_second_training

    check_installed()
    if not unlabeled:
        _check_texts_are_named({"--pretraining": pretraining, "--self-training": self_training})
    budget = Budget(minutes=time_budget) if time_budget else None
    start = _find_version(Store(store), start_from) if start_from else None
    pretrained = bool(unlabeled or start)
    settings = TrainSettings(
        name=name,
        dataset=dataset,
        config=config,
        revision=revision,
        text_column=text_column,
        label_column=label_column,
        vocabulary=vocabulary,
        max_tokens=max_tokens,
        ngrams=ngrams,
        subwords=subwords,
        class_weight=class_weight,
        start_from=start.reference if start else None,
        unlabeled=unlabeled,
        self_training=_choose_rounds(self_training, budget) if unlabeled else 0,
        seed=seed,
        network=NetworkSettings(
            **choose_shape(
                {"cell": cell, "layers": layers, "units": units, "embedding": embedding},
                start=start,
                pretrains=unlabeled is not None,
            ),
            dropout=dropout,
            word_dropout=word_dropout,
        ),
        fit=FitSettings(
            epochs=epochs,
            patience=patience,
            batch=batch,
            adversarial=adversarial,
            learning_rate=learning_rate or (GENTLER if pretrained else FitSettings.learning_rate),
        ),
        pretrain=PretrainSettings(epochs=pretraining or PretrainSettings.epochs),
    )
    # Before TensorFlow starts, which takes seconds, for most of what can be wrong shows here.
    refuse_second_training(name, work=work)
    prepared = prepare(settings, known=start.tokenizer if start else None)
    with quiet_start():
        import tensorflow  # noqa: F401

    from training.pipeline import train as publish
    from training.run import Run

    run = Run(
        prepared=prepared,
        settings=settings,
        work=work,
        start=start,
        budget=budget,
        resume=resume,
    )
    publish(run, store=Store(store))


@app.command()
def tune(
    dataset: DatasetOption,
    name: Annotated[str, typer.Option(help="Model to find settings for.", callback=_check_name)],
    cell: Annotated[Cell, typer.Option(help="Recurrent cell.")] = "gru",
    config: ConfigOption = None,
    revision: RevisionOption = None,
    text_column: TextColumnOption = None,
    label_column: LabelColumnOption = None,
    minutes: Annotated[
        float, typer.Option(min=0, max=1e6, help="Time for all trials; the first is always ended.")
    ] = 30,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Trials at most; if absent what there is time for.")
    ] = None,
    seed: SeedOption = TrainSettings.seed,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the tuning of that name; else begin anew.")
    ] = False,
    work: Annotated[
        Path, typer.Option(help="Folder of the trials, in tune/NAME.", envvar="GATEWISE_WORK")
    ] = Path("runs"),
) -> None:
    """Look for settings that are better than the defaults, on validation rows only."""
    started = time.monotonic()
    from training.prepare import prepare
    from training.tuning.requirement import check_installed

    check_installed()
    settings = TrainSettings(
        name=name,
        dataset=dataset,
        config=config,
        revision=revision,
        text_column=text_column,
        label_column=label_column,
        seed=seed,
        network=NetworkSettings(cell=cell),
    )
    prepared = prepare(settings)
    with quiet_start():
        import tensorflow  # noqa: F401

    from training.run import Run
    from training.tuning.tune import Limits
    from training.tuning.tune import tune as search

    run = Run(prepared=prepared, settings=settings, work=work, resume=resume)
    search(run, limits=Limits(seconds=60 * minutes, trials=trials, started=started))


@app.command()
def compare(
    dataset: DatasetOption,
    cells: Annotated[str, typer.Option(help="Which cells: rnn, gru and lstm.")] = "rnn,gru,lstm",
    seeds: Annotated[int, typer.Option(min=1, max=20, help="Trainings of each.")] = 3,
    units: Annotated[
        int, typer.Option(min=1, max=1_024, help="Width at which all are compared.")
    ] = NetworkSettings.units,
    rows: Annotated[
        int | None, typer.Option(min=20, help="Rows of train to draw; all if absent.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the rows at most; as in train if absent.")
    ] = None,
    patience: PatienceOption = FitSettings.patience,
    adversarial: Annotated[
        float,
        typer.Option(min=0, max=10, help="As in train; 0 takes half the time."),
    ] = FitSettings.adversarial,
    subwords: SubwordsOption = TrainSettings.subwords,
    config: ConfigOption = None,
    revision: RevisionOption = None,
    text_column: TextColumnOption = None,
    label_column: LabelColumnOption = None,
    time_budget: Annotated[
        float | None,
        typer.Option(min=1, help="Minutes for all but the tasks; fewer rows are drawn for it."),
    ] = None,
    tasks: Annotated[
        bool, typer.Option(help="Whether to run the synthetic tasks, which need no data.")
    ] = True,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="The first seed.")
    ] = TrainSettings.seed,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the comparison in that folder.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report; if absent runs/compare/DATASET.")
    ] = None,
    work: Annotated[
        Path, typer.Option(help="Folder of checkpoints and logs.", envvar="GATEWISE_WORK")
    ] = Path("runs"),
) -> None:
    """Compare the simple cell, GRU and LSTM on your data, under equal conditions."""
    budget = Budget(minutes=time_budget) if time_budget else None
    chosen = _read_cells(cells)
    settings = TrainSettings(
        name=name_of(dataset),
        dataset=dataset,
        config=config,
        revision=revision,
        text_column=text_column,
        label_column=label_column,
        subwords=subwords,
        seed=seed,
        network=NetworkSettings(cell=chosen[0], units=units),
        fit=FitSettings(epochs=epochs, patience=patience, adversarial=adversarial),
    )
    from training.prepare import prepare

    prepared = prepare(settings, rows=rows)
    with quiet_start():
        import tensorflow  # noqa: F401

    from training.comparison.compare import Plan, who_takes_part
    from training.comparison.compare import compare as run_comparison
    from training.comparison.row_budget import choose_rows
    from training.run import Run

    folder = out or work / "compare" / settings.name
    run = Run(prepared=prepared, settings=settings, work=folder / "work", resume=resume)
    plan = Plan(cells=chosen, seeds=seeds, tasks=work / "compare" / "tasks" if tasks else None)
    if budget is not None:
        contestants = who_takes_part(run, plan)
        note = folder / "rows.json"
        rows = choose_rows(run, contestants, seeds=seeds, budget=budget, note=note)
        run = replace(run, prepared=prepare(settings, rows=rows) if rows else prepared)
    run_comparison(run, plan, folder=folder)


def _read_cells(cells: str) -> tuple[Cell, ...]:
    """Return the cells named in a list with commas, each once."""
    named = list(dict.fromkeys(part.strip() for part in cells.split(",")))
    known = get_args(Cell)
    if strange := [name for name in named if name not in known]:
        raise typer.BadParameter(f"{strange[0]!r} is no cell; there are {', '.join(known)}")
    return tuple(named)


def name_of(dataset: str) -> str:
    """Return a name for what is made of a dataset: the last part of its path or id."""
    last = re.sub(r"[^a-z0-9._-]", "-", Path(dataset).resolve().stem.lower())
    return last.strip("._-")[:64] or "data"


@app.command()
def inspect(
    dataset: DatasetOption,
    config: ConfigOption = None,
    revision: RevisionOption = None,
    text_column: TextColumnOption = None,
    label_column: LabelColumnOption = None,
    json: Annotated[
        Path | None, typer.Option(help="File for all findings with every row number.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Decides which rows judge which.")
    ] = TrainSettings.seed,
) -> None:
    """Find what is wrong with a dataset: duplicates, leaks, contradictions, doubtful labels."""
    from training.data.sources import load_source
    from training.inspection.doctor import inspect_source
    from training.inspection.terminal import print_findings, to_json

    source = load_source(dataset, config=config, revision=revision)
    findings = inspect_source(source, text_column=text_column, label_column=label_column, seed=seed)
    print_findings(findings)
    if json is not None:
        to_json(findings, path=json)


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="NAME or NAME:VERSION; the newest if not said.")],
    dataset: DatasetOption,
    split: Annotated[str | None, typer.Option(help="Split to measure on; test if absent.")] = None,
    config: ConfigOption = None,
    revision: RevisionOption = None,
    text_column: TextColumnOption = None,
    label_column: LabelColumnOption = None,
    engine: Annotated[EngineName, typer.Option(help="Engine to compute with.")] = "onnx",
    report: Annotated[
        Path | None, typer.Option(help="New folder for the report, HTML and plots.")
    ] = None,
    store: StoreOption = Path("models/store"),
) -> None:
    """Measure a published version on labelled text."""
    from training.data.sources import load_source
    from training.evaluation.published import Selection, evaluate_version
    from training.report.summary import summarize
    from training.report.terminal import print_summary
    from training.report.write import write_report

    version = _find_version(Store(store), model)
    source = load_source(dataset, config=config, revision=revision)
    selection = Selection(split=split, text_column=text_column, label_column=label_column)
    results = evaluate_version(version, source, selection=selection, engine=engine)
    print_summary(summarize(results) if report is None else write_report(results, folder=report))


def _check_texts_are_named(asked: dict[str, int | None]) -> None:
    """Refuse options for texts without labels, where no such texts are named."""
    if named := [option for option, value in asked.items() if value]:
        raise TrainingError(f"{named[0]} is about texts without labels; name them with --unlabeled")


def _choose_rounds(asked: int | None, budget: Budget | None) -> int:
    """Return how often to learn from texts without labels what was learned from the others."""
    if asked is not None:
        return asked
    return TrainSettings.self_training if budget is None else 1


def _find_version(store: Store, model: str) -> Version:
    """Return the version that NAME or NAME:VERSION means, whole and readable."""
    version = store.resolve(model)
    version.verify()
    return version


@app.command()
def prune(
    name: Annotated[str, typer.Option(help="Model whose old versions go.", callback=_check_name)],
    keep: Annotated[int, typer.Option(min=1, help="Newest versions that stay.")],
    store: StoreOption = Path("models/store"),
) -> None:
    """Delete all but the newest versions of a model."""
    deleted = Store(store).prune(name, keep=keep)
    typer.echo(f"deleted versions of {name}: {', '.join(map(str, deleted)) or 'none'}")


def _stop(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)  # so that unfinished work is cleaned up


def _handle_signals() -> None:
    hangup = getattr(signal, "SIGHUP", signal.SIGTERM)  # which a closed terminal sends; not Windows
    for number in (signal.SIGTERM, hangup):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _stop)


# What is wrong with the command line itself; typer exports one class of it only.
_UsageError: type[Any] = typer.BadParameter.__mro__[1]


def run_app() -> None:
    """Run the command line; an error that the user can put right is one line and status 2."""
    _handle_signals()
    try:
        sys.exit(app(standalone_mode=False))
    except Interrupted as interrupt:
        typer.echo("stopped; to go on, give the same command and --resume", err=True)
        sys.exit(128 + interrupt.number)
    except _UsageError as error:
        _fail(error.format_message())
    except ModuleNotFoundError as error:
        if _is_own(error.name):
            raise
        _fail(f"{error.name} is not installed; make setup installs all that training needs")
    except (GatewiseError, OSError) as error:
        _fail(str(error))


def _is_own(module: str | None) -> bool:
    return (module or "training").partition(".")[0] in ("training", "models")


def _fail(message: str) -> None:
    typer.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(BAD_INPUT)


if __name__ == "__main__":
    run_app()

"""The command `train`: fits a classifier and publishes it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from models.command_line import StoreOption
from models.registry import STORE, Store
from training.commands.options import (
    WORK,
    Asked,
    WorkOption,
    find_version,
    reading_of,
    setting,
    start_tensorflow,
    takes,
    with_name,
)
from training.console import console
from training.defaults import USUAL, Origin, complete
from training.errors import TrainingError
from training.settings import SETTINGS, Budget, FitSettings, TrainSettings

if TYPE_CHECKING:
    from models.versions import Version
    from training.prepare import Prepared
    from training.pretrained.network import Pretrained
    from training.teachers.verdicts import Teacher
    from training.vectors.source import VectorSource
    from training.vectors.table import WordVectors

SHOWN = tuple(name for name, declared in SETTINGS.items() if declared.about.is_option)


@takes(*map(setting, SHOWN))
def train(
    asked: Asked,
    *,
    time_budget: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Time for the whole training (minutes); it is shortened to fit."
        ),
    ] = None,
    gate: Annotated[
        str | None,
        typer.Option(
            help="Publish only if it is no worse than the version with this label or number; the "
            "version that answers, of a model without labels."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the stopped training of that name.")
    ] = False,
    work: WorkOption = WORK,
    store: StoreOption = STORE,
) -> None:
    """Train a classifier on labelled text and publish it."""
    from training.commands.teachers import open_teacher
    from training.prepare import prepare
    from training.pretrained.shipped import find_offer
    from training.tracking.mlflow import check_installed
    from training.workspace.lock import refuse_second_training

    check_installed()
    asked = with_name(asked)
    if not asked["unlabeled"]:
        _refuse_without_texts(asked)
    _refuse_unused_passes(asked)
    teacher = open_teacher(
        asked["teacher"],
        command=asked["teacher_command"],
        store=Store(store),
        work=work,
        reading=reading_of(asked),
    )
    _refuse_without_use(asked, teacher)
    budget = Budget(minutes=time_budget) if time_budget else None
    start, taught = _find_start(asked, store=Store(store))
    origin = _as_origin(start, taught, folder=asked["start_from"])
    settings = TrainSettings.of(complete(asked, start=origin, budgeted=budget is not None))
    # Most mistakes show here, before the slow start of TensorFlow.
    refuse_second_training(settings.name, work=work)
    compared = _find_gate(gate, name=settings.name, store=Store(store))
    offered = find_offer(settings)
    known = start or taught
    prepared = prepare(
        settings,
        known=known.tokenizer if known else None,
        offered=offered.tokenizer if offered else None,
        teacher=teacher,
    )
    settings = replace(settings, pretrained=prepared.took_offer)
    if compared is not None:
        from training.evaluation.comparable import check_comparable

        check_comparable(compared, prepared.data)
    vectors = _read_vectors(settings, prepared)
    encoder = _open_encoder(settings)
    start_tensorflow()

    from training.pipeline import train as publish
    from training.run import Run

    run = Run(
        prepared=prepared,
        settings=settings,
        work=work,
        start=start,
        vectors=vectors,
        pretrained=offered if prepared.took_offer else taught,
        encoder=encoder,
        budget=budget,
        resume=resume,
        gate=compared,
    )
    publish(run, store=Store(store))


def _find_gate(gate: str | None, *, name: str, store: Store) -> "Version | None":
    """Return the version that the new one is compared with; None for the first of a model."""
    if gate is None:
        return None
    if name not in store.names():
        console.print(f"note: there is no {name} yet, so --gate has nothing to compare with")
        return None
    labelled = bool(store.labels(name).versions) or gate.isdecimal()
    return find_version(store, f"{name}:{gate}" if labelled else name)


def _find_start(asked: Asked, *, store: Store) -> "tuple[Version | None, Pretrained | None]":
    """Return the version that --from names, or the network that `teach` wrote to that folder."""
    from training.data.sources import as_path
    from training.pretrained.files import is_pretrained, read_pretrained

    named: str | None = asked["start_from"]
    if named is None:
        return None, None
    if is_pretrained(as_path(named)):
        return None, read_pretrained(as_path(named), cell=asked["cell"] or USUAL["cell"])
    return find_version(store, named), None


def _as_origin(
    start: "Version | None", taught: "Pretrained | None", *, folder: str | None
) -> Origin | None:
    if start is not None:
        return Origin.of(start)
    if taught is not None:
        return Origin(taught.record.name, taught.shape, FitSettings.learning_rate, folder)
    return None


def _refuse_without_texts(asked: Asked) -> None:
    """Reject options about texts without labels where no such texts are named."""
    for name in ("pretrain_epochs", "self_training"):
        if asked[name]:
            raise TrainingError(
                f"{SETTINGS[name].option} needs texts without labels; name them with --unlabeled"
            )


def _refuse_unused_passes(asked: Asked) -> None:
    """Reject a number of passes over texts that are not read in that way."""
    pretraining, teaching = (SETTINGS[name].option for name in ("pretrain_epochs", "teach_epochs"))
    if asked["teach_epochs"] and not asked["encoder"]:
        raise TrainingError(f"{teaching} needs an encoder that teaches; name it with --encoder")
    if asked["pretrain_epochs"] and asked["encoder"]:
        raise TrainingError(
            f"with --encoder no language model is learned; leave {pretraining} out, or --encoder "
            f"({teaching} says how often the encoder teaches)"
        )


def _refuse_without_use(asked: Asked, teacher: "Teacher | None") -> None:
    """Reject a teacher without texts to label, and texts that nothing is learned from."""
    if teacher is None or teacher.has_texts == (asked["unlabeled"] is None):
        return
    if not teacher.has_texts:
        named = SETTINGS["teacher_command" if asked["teacher_command"] else "teacher"].option
        raise TrainingError(f"{named} needs texts to label; name them with --unlabeled")
    if not (asked["pretrain_epochs"] or asked["encoder"]):
        raise TrainingError(
            "--teacher names a file that has its texts; leave --unlabeled out, or give "
            "--pretraining to learn the language of those texts too"
        )


def _read_vectors(settings: TrainSettings, prepared: "Prepared") -> "WordVectors | None":
    """Return the word vectors that the network starts from; None where none are named."""
    if settings.vectors is None:
        return None
    from training.vectors.opening import open_vectors
    from training.vectors.table import make_table

    width, tokens = settings.network.embedding, prepared.tokenizer.tokens
    with console.status("reading the vectors of the words"):
        source = open_vectors(settings.vectors)
        found = make_table(source, tokens, width=width, seed=settings.seed)
    known = f"{found.known.sum():,} of {len(tokens):,} tokens"
    console.print(f"vectors: {found.record.title} has {known}")
    return found


def _open_encoder(settings: TrainSettings) -> "VectorSource | None":
    """Return the encoder that teaches the network; None where none is named."""
    if settings.encoder is None:
        return None
    from training.vectors.opening import open_encoder

    encoder = open_encoder(settings.encoder)
    console.print(f"encoder: {encoder.record.title}")
    return encoder

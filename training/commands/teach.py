"""The command `teach`: makes a network that trainings can start from, from texts alone."""

from pathlib import Path
from typing import Annotated

import typer

from models.command_line import StoreOption
from models.registry import STORE, Store
from training.commands.options import (
    WORK,
    Asked,
    WorkOption,
    find_version,
    setting,
    start_tensorflow,
    takes,
)
from training.defaults import USUAL
from training.reading import Reading
from training.settings import SHAPE, NetworkSettings, TeachSettings

READING = ("text_column", "encoding", "separator", "skip_unusable")


@takes(
    setting("encoder", help="Sentence encoder that teaches: a folder or a Hub id", default=...),
    setting("cell", default=USUAL["cell"]),
    *(setting(name, default=USUAL[name]) for name in SHAPE if name != "cell"),
    setting("vocabulary", default=16_000),
    setting(
        "teach_epochs",
        help="How often to read the texts (passes)",
        default=TeachSettings.epochs,
    ),
    *map(setting, READING),
)
def teach(
    asked: Asked,
    *,
    unlabeled: Annotated[
        list[str],
        typer.Option(help="Texts to teach with; a dataset, or DATASET:SPLIT. Can be repeated."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the result; it may hold other cells.")],
    most_texts: Annotated[
        int, typer.Option(min=100, help="Texts to take of each at most, from the first on.")
    ] = 200_000,
    longest: Annotated[int, typer.Option(min=1, help="Longest text that is taken (words).")] = 40,
    teacher: Annotated[
        str | None,
        typer.Option(
            help="Version whose probabilities are taught beside the vectors: NAME or NAME:VERSION."
        ),
    ] = None,
    license: Annotated[
        str | None, typer.Option(help="Terms of the result, which cards of models then name.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the stopped teaching of that folder.")
    ] = False,
    work: WorkOption = WORK,
    store: StoreOption = STORE,
) -> None:
    """Teach a network a sentence encoder's vectors of texts, for trainings to start from."""
    from training.vectors.opening import open_encoder

    classifier = find_version(Store(store), teacher) if teacher is not None else None
    encoder = open_encoder(asked["encoder"])
    start_tensorflow()

    from training.teaching import Course, teach_network

    course = Course(
        texts=unlabeled,
        reading=Reading(**{name: asked[name] for name in READING}),
        most_texts=most_texts,
        longest=longest,
        vocabulary=asked["vocabulary"],
        network=NetworkSettings(
            **{name: asked[name] for name in SHAPE}, dropout=0.1, word_dropout=0.05
        ),
        settings=TeachSettings(epochs=asked["teach_epochs"]),
        license=license,
        classifier=classifier,
    )
    teach_network(course, encoder, folder=out, work=work, resume=resume)

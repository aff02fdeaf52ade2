"""The command `teach`: makes a network that trainings can start from, from texts alone."""

from pathlib import Path
from typing import Annotated

import typer

from training.commands.options import WORK, Asked, WorkOption, setting, start_tensorflow, takes
from training.defaults import USUAL
from training.reading import Reading
from training.settings import SHAPE, NetworkSettings, TeachSettings

READING = ("text_column", "encoding", "separator")


@takes(
    setting("unlabeled", help="Texts to teach with; a dataset, or DATASET:SPLIT", default=...),
    setting("encoder", help="Sentence encoder that teaches: a folder or a Hub id", default=...),
    setting("cell", default=USUAL["cell"]),
    *(setting(name, default=USUAL[name]) for name in SHAPE if name != "cell"),
    setting("vocabulary", default=16_000),
    setting("teach_epochs", help="How often to read the texts (passes)"),
    *map(setting, READING),
)
def teach(
    asked: Asked,
    *,
    out: Annotated[Path, typer.Option(help="Folder of the result; it may hold other cells.")],
    most_texts: Annotated[
        int, typer.Option(min=100, help="Texts to take at most, from the first on.")
    ] = 200_000,
    longest: Annotated[int, typer.Option(min=1, help="Longest text that is taken (words).")] = 40,
    license: Annotated[
        str | None, typer.Option(help="Terms of the result, which cards of models then name.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the stopped teaching of that folder.")
    ] = False,
    work: WorkOption = WORK,
) -> None:
    """Teach a network a sentence encoder's vectors of texts, for trainings to start from."""
    from training.vectors.opening import open_encoder

    teacher = open_encoder(asked["encoder"])
    start_tensorflow()

    from training.teaching import Course, teach_network

    course = Course(
        texts=asked["unlabeled"],
        reading=Reading(**{name: asked[name] for name in READING}),
        most_texts=most_texts,
        longest=longest,
        vocabulary=asked["vocabulary"],
        network=NetworkSettings(
            **{name: asked[name] for name in SHAPE}, dropout=0.1, word_dropout=0.05
        ),
        settings=TeachSettings(epochs=asked["teach_epochs"]),
        license=license,
    )
    teach_network(course, teacher, folder=out, work=work, resume=resume)

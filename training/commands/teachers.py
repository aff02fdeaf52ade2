"""Finds the teacher that a user names."""

from pathlib import Path

from models.errors import ModelNotFound
from models.names import is_name
from models.registry import Store
from training.commands.options import find_version
from training.data.sources import as_path
from training.evaluation.teacher import PublishedTeacher
from training.reading import Reading
from training.teachers.command import CommandTeacher
from training.teachers.file import FileTeacher
from training.teachers.verdicts import Teacher, TeacherError


def open_teacher(
    source: str | None, *, command: str | None, store: Store, work: Path, reading: Reading
) -> Teacher | None:
    """Return the teacher that is named; None where none is.

    Args:
        source: A file or folder, NAME or NAME:VERSION of the store, or a Hub dataset, tried in this
            order.
        command: A command that labels texts.
        store: The versions.
        work: Folder of the answers that a command gave.
        reading: How a file is to be read.

    Raises:
        TeacherError: There is no such version.
        CorruptVersion: A file of the version is broken.
    """
    if command is not None:
        return CommandTeacher(command, work, skip_unusable=reading.skip_unusable)
    if source is None:
        return None
    if as_path(source).exists() or not is_name(source.partition(":")[0]):
        return FileTeacher(source, reading)
    try:
        return PublishedTeacher(find_version(store, source))
    except ModelNotFound as error:
        raise TeacherError(f"--teacher {source}: no such file or folder, and {error}") from error

"""The metadata file of a version as a manifest: it lists all other files with their hashes."""

import json

from models.errors import VersionCorrupt
from models.metadata import Metadata
from models.network import check_network
from models.versions import DIGEST, METADATA, REQUIRED, check_size


def read_manifest(content: bytes, *, where: str) -> Metadata:
    """Return the metadata that a stranger's file holds, once all that it says is checked.

    The schema bounds the number of files, and the name and the size of each.

    Args:
        content: The file.
        where: Address of the version, for messages.

    Raises:
        FormatTooNew: A newer release wrote it.
        VersionCorrupt: It is no such file, or what it says cannot be.
    """
    metadata = Metadata.parse(content, where=f"{where}: {METADATA}")
    check_size(metadata, where=where)
    try:
        check_network(metadata)
    except VersionCorrupt as error:
        raise VersionCorrupt(f"{where}: {error}") from error
    _check_names({*metadata.files}, where=where)
    return metadata


def _check_names(names: set[str], *, where: str) -> None:
    if own := {METADATA, DIGEST} & names:
        raise VersionCorrupt(f"{where}: the list of files has a record of {min(own)} itself")
    if missing := set(REQUIRED) - names:
        raise VersionCorrupt.mismatch(where, expected=f"a record of {min(missing)}", found="none")
    files = {name.casefold() for name in (*names, METADATA)}
    if len(files) <= len(names):
        raise VersionCorrupt(f"{where}: two names of files differ only in capitals")
    if both := {folder for name in files for folder in _folders(name)} & files:
        raise VersionCorrupt(f"{where}: {min(both)!r} is listed as a file, and has files in it")


def _folders(name: str) -> list[str]:
    """Return the folders that a file lies in: a and a/b for a/b/c."""
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def restamp(content: bytes, *, name: str, number: int) -> bytes:
    """Return a metadata file with another name and number; the same bytes if they do not change."""
    fields = json.loads(content)
    if (fields["name"], fields["version"]) == (name, number):
        return content
    fields |= {"name": name, "version": number}
    return (json.dumps(fields, indent=2, ensure_ascii=False) + "\n").encode()


def is_same(one: Metadata, other: Metadata) -> bool:
    """Whether two versions are the same but for name and number."""
    stripped = {"name": "", "version": 0}
    return one.model_copy(update=stripped) == other.model_copy(update=stripped)

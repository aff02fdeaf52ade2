"""Finds the place of an address."""

from pathlib import Path

from models.remotes.address import FOLDER, HUB, Address
from models.remotes.objects import NumberedFolders
from models.remotes.place import Place


def open_place(
    address: Address, *, license: str | None = None, languages: tuple[str, ...] = ()
) -> Place:
    """Return the place of an address; nothing is asked of it yet.

    Args:
        address: The address.
        license: Identifier of the licence, for the card of a place that shows one.
        languages: Codes of the languages, for the same.

    Raises:
        ExtraMissing: The library that speaks to it is not installed.
    """
    if address.kind == HUB:
        from models.remotes.hub import HubRepository

        return HubRepository(address, license=license, languages=languages)
    if address.kind == FOLDER:
        from models.remotes.folder import FolderObjects

        return NumberedFolders(FolderObjects(Path(address.path)), address.model)
    from models.remotes.buckets import BucketObjects

    return NumberedFolders(BucketObjects(address), address.model)

"""Pushes a version of a store to a remote place, where it appears whole or not at all."""

from dataclasses import dataclass

from models.limits import LARGEST_METADATA
from models.metadata import Metadata
from models.names import check_label
from models.regular_files import read_inside
from models.remotes.address import Address
from models.remotes.manifest import restamp
from models.remotes.place import Observer, Place, Upload
from models.versions import METADATA, ONNX, Version


@dataclass(frozen=True)
class Pushed:
    """A version that a place has now.

    Args:
        address: Where it can be pulled from.
        sha256: Hash of its metadata file there, which names all others.
        fresh: Whether it was not there before.
    """

    address: Address
    sha256: str
    fresh: bool


def push(version: Version, address: Address, *, place: Place, observer: Observer) -> Pushed:
    """Push a version, unless it is there.

    Args:
        version: The version. It is checked first.
        address: Address of the model. A number in it is the version's number there, in place of its
            own; a label in it is given to the version there.
        place: The place of that address.
        observer: Is told how it comes on.

    Raises:
        RemoteError: The place does not answer, refuses, or has another version of that number.
        VersionCorrupt: The version is damaged here.
        ValueError: The address names a hash, or what is neither number nor label.
    """
    if address.sha256:
        raise ValueError("#sha256=… is for what is pulled; leave it out to push")
    label = None
    if address.which is not None and address.number is None:
        label = check_label(address.which)
    version.verify()
    if ONNX in version.metadata.files:  # `verify` leaves it out
        version.verify_file(ONNX)
    number = address.number or version.number
    own = read_inside(version.path, METADATA, limit=LARGEST_METADATA)
    manifest = restamp(own, name=version.name, number=number)
    upload = Upload(version.path, Metadata.parse(manifest, where=version.path), manifest)
    observer.begin(version.reference, size=upload.size)
    fresh = place.publish(upload, label=label, observer=observer)
    there = Address(address.kind, address.path, which=str(number))
    return Pushed(there, upload.sha256, fresh=fresh)

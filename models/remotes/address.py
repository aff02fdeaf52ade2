"""Addresses of a model at a remote place, such as `hf://owner/reviews@3`."""

import re
from dataclasses import dataclass

from models.names import VERSION_NUMBER, is_label
from models.regular_files import check_inner_name

HUB, S3, GOOGLE, FOLDER = "hf", "s3", "gs", "file"
EXAMPLES = "hf://owner/reviews, s3://bucket/models/reviews, gs://… or file:///folder/reviews"

_SHAPE = re.compile(r"(hf|s3|gs|file)://([^?#\s]+)(?:#sha256=([0-9a-f]{64}))?")
_PARTS = {HUB: (2, 2), S3: (2, 8), GOOGLE: (2, 8), FOLDER: (1, 64)}  # fewest and most
_REVISION = re.compile(r"(?!.*\.\.)[\w][\w./-]{0,199}", re.ASCII)


@dataclass(frozen=True)
class Address:
    """Where a model lies, and which of its versions is meant.

    Args:
        kind: HUB, S3, GOOGLE or FOLDER.
        path: The repository, the bucket with a folder in it, or the absolute folder.
        which: Number or label of a version; at the Hub any revision too. None if not given.
        sha256: Hash that the metadata file of the version must have, if given.
    """

    kind: str
    path: str
    which: str | None = None
    sha256: str | None = None

    @property
    def model(self) -> str:
        """The address without a version."""
        return f"{self.kind}://{self.path}"

    @property
    def number(self) -> int | None:
        """Number of the version, if it is given by number."""
        return int(self.which) if self.which and VERSION_NUMBER.fullmatch(self.which) else None

    def __str__(self) -> str:
        return self.model + (f"@{self.which}" if self.which else "")


def read_address(text: str) -> Address:
    """Return the address that a text means.

    Raises:
        ValueError: It is none, or holds what may be a password, which the message does not repeat.
    """
    found = _SHAPE.fullmatch(text)
    if not found:
        if "?" in text or "@" in text.partition("://")[2].partition("/")[0]:
            raise ValueError(f"an address holds no credentials and no query; give {EXAMPLES}")
        raise ValueError(f"{text[:80]!r} is no address of a model; give {EXAMPLES}")
    kind, rest, sha256 = found.groups()
    first, slash, others = rest.partition("/")
    if "@" in first or ":" in first:
        raise ValueError(
            f"{kind}://… names a user or a port; credentials and endpoints are taken from the "
            "environment"
        )
    path, at, which = _split_version(kind, first + slash + others)
    if at and not _is_version(kind, which):
        raise ValueError(
            f"{which[:80]!r} is no version: give a number or a label, as in {kind}://…@3"
        )
    return Address(kind, _check_path(kind, path), which=which or None, sha256=sha256)


def _split_version(kind: str, rest: str) -> tuple[str, str, str]:
    """Return path, separator and version. Only the names of local folders may have an @ in them."""
    if kind != FOLDER:
        return rest.partition("@")
    folders, slash, last = rest.rpartition("/")
    name, at, which = last.partition("@")
    return folders + slash + name, at, which


def _is_version(kind: str, which: str) -> bool:
    if kind == HUB:
        return _REVISION.fullmatch(which) is not None
    return VERSION_NUMBER.fullmatch(which) is not None or is_label(which)


def _check_path(kind: str, path: str) -> str:
    if kind == FOLDER and not path.startswith("/"):
        raise ValueError(f"'file://{path[:80]}' is no absolute folder; give file:///folder/reviews")
    bare = path.strip("/")
    fewest, most = _PARTS[kind]
    if not fewest <= bare.count("/") + 1 <= most:
        raise ValueError(f"'{kind}://{path[:80]}' is no model; give {EXAMPLES}")
    if kind != FOLDER:
        return check_inner_name(bare)
    if {"", ".", ".."} & set(bare.split("/")):
        raise ValueError(f"'file://{path[:80]}' has empty parts or dots in it")
    return f"/{bare}"

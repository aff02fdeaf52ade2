"""An exported version: a folder with the files named here, checked against its metadata."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import VersionCorrupt
from models.golden import Golden
from models.limits import LARGEST_VERSION, LARGEST_WEIGHT, MOST_WORK
from models.metadata import FileRecord, Metadata, WeightRecord, digest_file
from models.network import check_network
from models.regular_files import find_inside, list_inside, open_regular
from models.tokenizer import Tokenizer

EXTRA = "assets.extra"
METADATA = f"{EXTRA}/metadata.json"
DIGEST = f"{METADATA}.sha256"  # at a remote place, as sha256sum has it; no file of the version
TOKENIZER = f"{EXTRA}/tokenizer.json"
GOLDEN = f"{EXTRA}/golden.json"
CARD = f"{EXTRA}/README.md"
REPORT = f"{EXTRA}/report"
SAVED_MODEL = "saved_model.pb"
ONNX = "model.onnx"
REQUIRED = (SAVED_MODEL, TOKENIZER, GOLDEN)
WEIGHTS = "variables/variables.data-00000-of-00001"


@dataclass(frozen=True)
class Version:
    """One version on disk. Its parts are read at their first use."""

    path: Path

    @property
    def number(self) -> int:
        """Number of the version, the name of its folder."""
        return int(self.path.name)

    @property
    def name(self) -> str:
        """Name of the model, that of the folder around."""
        return self.path.parent.name

    @property
    def reference(self) -> str:
        """The reference for `Store.resolve`: name:number."""
        return f"{self.name}:{self.path.name}"

    @cached_property
    def metadata(self) -> Metadata:
        """The metadata; raises FormatTooNew or VersionCorrupt."""
        return Metadata.load(find_inside(self.path, METADATA))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer; raises FormatTooNew or VersionCorrupt."""
        return Tokenizer.load(find_inside(self.path, TOKENIZER))

    @cached_property
    def golden(self) -> Golden:
        """The golden predictions; raises VersionCorrupt."""
        return Golden.load(find_inside(self.path, GOLDEN))

    def weight(self, name: str) -> NDArray[np.generic]:
        """Return a weight by its name in the metadata, mapped from its file."""
        return read_weight(self.path, self.metadata.weights[name])

    def verify(self) -> None:
        """Check everything except predictions.

        Raises:
            FormatTooNew: A newer release wrote the version.
            VersionCorrupt: A check failed; names the file, the expected and the found value.
        """
        self._verify_place()
        self.verify_content()

    def verify_content(self) -> None:
        """Check what `verify` does, but not the name and the number of the folder."""
        check_network(self.metadata)
        self._verify_sizes()
        for name in sorted({*REQUIRED, *self.metadata.files} - {ONNX}):
            self.verify_file(name)
        self._verify_tokenizer()
        self._verify_labels()
        self._verify_work()
        self.golden.check_ids(self.tokenizer)

    def verify_file(self, name: str) -> None:
        """Raise VersionCorrupt unless the file exists with the recorded size and hash.

        `verify` omits `model.onnx`: a version can be served without it.
        """
        record = self.metadata.files.get(name)
        if record is None:
            raise VersionCorrupt.mismatch(
                self.path / METADATA, expected=f"a record of {name}", found="none"
            )
        _verify_file(find_inside(self.path, name), record)

    def _verify_place(self) -> None:
        expected = (self.metadata.name, self.metadata.version)
        found = (self.name, self.number)
        if expected != found:
            raise VersionCorrupt.mismatch(
                self.path, expected="{}/{}".format(*expected), found="{}/{}".format(*found)
            )

    def _verify_sizes(self) -> None:
        """Check what there is and how large it is, before anything but the metadata is opened."""
        found = list_inside(self.path)
        visible = {name for name in found if not Path(name).name.startswith(".")}
        if unknown := visible - {*self.metadata.files, METADATA, DIGEST}:
            raise VersionCorrupt.mismatch(
                self.path / METADATA, expected=f"a record of {min(unknown)}", found="none"
            )
        check_size(self.metadata, where=self.path)

    def _verify_work(self) -> None:
        """Check how much is to be computed before the version can answer."""
        tokens = sum(map(len, self.golden.ids))
        work = tokens * self.metadata.architecture.multiplications
        if work > MOST_WORK:
            raise VersionCorrupt.mismatch(
                self.path / GOLDEN,
                expected=f"at most {MOST_WORK:,} multiplications",
                found=f"{work:,} of {tokens:,} tokens",
            )

    def _verify_tokenizer(self) -> None:
        rows = self.metadata.architecture.vocabulary
        if len(self.tokenizer) != rows:
            raise VersionCorrupt.mismatch(
                self.path / TOKENIZER,
                expected=f"{rows} tokens, one for each row of the embedding",
                found=len(self.tokenizer),
            )
        digest = self.metadata.files[TOKENIZER].sha256  # already compared with the file
        if digest != self.metadata.tokenizer_sha256:
            raise VersionCorrupt.mismatch(
                self.path / TOKENIZER, expected=self.metadata.tokenizer_sha256, found=digest
            )

    def _verify_labels(self) -> None:
        labels = len(self.metadata.labels)
        widths = {len(row) for row in self.golden.probabilities}
        if widths != {labels}:
            raise VersionCorrupt.mismatch(
                self.path / GOLDEN,
                expected=f"{labels} probabilities for each text, one for each label",
                found=sorted(widths),
            )


def check_size(metadata: Metadata, *, where: object) -> int:
    """Return how many bytes the recorded files have together.

    Raises:
        VersionCorrupt: They are more than a version may have.
    """
    total = sum(record.size for record in metadata.files.values())
    if total > LARGEST_VERSION:
        raise VersionCorrupt.mismatch(
            where, expected=f"at most {LARGEST_VERSION:,} bytes", found=f"{total:,}"
        )
    return total


def read_weight(folder: Path, record: WeightRecord) -> NDArray[np.generic]:
    """Return a weight of the version in a folder, mapped from its file.

    Raises:
        VersionCorrupt: It lies outside of the file, or holds what is no number or too large.
    """
    path = find_inside(folder, WEIGHTS)
    with open_regular(path) as file:
        size, end = os.fstat(file.fileno()).st_size, record.offset + record.nbytes
        if record.nbytes == 0 or end > size:
            raise VersionCorrupt.mismatch(path, expected=f"a weight up to {end}", found=size)
        weight: NDArray[np.generic] = np.memmap(
            file, record.dtype, mode="r", offset=record.offset, shape=record.shape
        )
    require_usable(weight, where=path)
    return weight


def require_usable(weight: NDArray[np.generic], *, where: object) -> None:
    """Raise VersionCorrupt if a weight holds what is no number, or one of no trained network."""
    if weight.dtype.kind == "f" and not (largest := _largest(weight)) <= LARGEST_WEIGHT:  # or NaN
        raise VersionCorrupt.mismatch(
            where, expected=f"weights of at most {LARGEST_WEIGHT:g}", found=f"{largest:g}"
        )


def _largest(weight: NDArray[np.generic]) -> float:
    if weight.dtype == np.float16:  # numpy converts these one by one, but their bits are ordered
        bits = (weight.view(np.uint16) & np.uint16(0x7FFF)).max()
        return float(np.uint16(bits).view(np.float16))
    return float(np.abs(weight).max())


def _verify_file(path: Path, record: FileRecord) -> None:
    if not os.path.lexists(path):
        raise VersionCorrupt.mismatch(path, expected="a file", found="none")
    if (size := os.lstat(path).st_size) != record.size:
        raise VersionCorrupt.mismatch(path, expected=f"{record.size} bytes", found=f"{size} bytes")
    if (digest := digest_file(path)) != record.sha256:
        raise VersionCorrupt.mismatch(path, expected=f"sha256 {record.sha256}", found=digest)

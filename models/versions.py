"""An exported version: a folder with the files named here, checked against its metadata."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import VersionCorrupt
from models.golden import Golden
from models.metadata import FileRecord, Metadata, WeightRecord, digest_file
from models.tokenizer import Tokenizer

EXTRA = "assets.extra"
METADATA = f"{EXTRA}/metadata.json"
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
        return Metadata.load(self.path / METADATA)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer; raises FormatTooNew or VersionCorrupt."""
        return Tokenizer.load(self.path / TOKENIZER)

    @cached_property
    def golden(self) -> Golden:
        """The golden predictions; raises VersionCorrupt."""
        return Golden.load(self.path / GOLDEN)

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
        for name in {*REQUIRED, *self.metadata.files} - {ONNX}:
            self.verify_file(name)
        self._verify_tokenizer()
        self._verify_labels()
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
        _verify_file(self.path / name, record)

    def _verify_place(self) -> None:
        expected = (self.metadata.name, self.metadata.version)
        found = (self.name, self.number)
        if expected != found:
            raise VersionCorrupt.mismatch(
                self.path, expected="{}/{}".format(*expected), found="{}/{}".format(*found)
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


def read_weight(folder: Path, record: WeightRecord) -> NDArray[np.generic]:
    """Return a weight of the version in a folder, mapped from its file."""
    weight: NDArray[np.generic] = np.memmap(
        folder / WEIGHTS, record.dtype, mode="r", offset=record.offset, shape=record.shape
    )
    return weight


def _verify_file(path: Path, record: FileRecord) -> None:
    if not path.is_file():
        raise VersionCorrupt.mismatch(path, expected="a file", found="none")
    if (size := path.stat().st_size) != record.size:
        raise VersionCorrupt.mismatch(path, expected=f"{record.size} bytes", found=f"{size} bytes")
    if (digest := digest_file(path)) != record.sha256:
        raise VersionCorrupt.mismatch(path, expected=f"sha256 {record.sha256}", found=digest)

from pathlib import Path

import pytest

from models.errors import VersionCorrupt
from models.versions import GOLDEN, METADATA, TOKENIZER, Version
from tests.versions import make_metadata, make_tokenizer, publish


def test_a_published_version_verifies_and_reads(tmp_path) -> None:
    version = publish(tmp_path)
    version.verify()
    assert version.metadata.version == 1
    assert version.tokenizer.digest == make_tokenizer().digest
    assert set(version.metadata.files) == {"saved_model.pb", TOKENIZER, GOLDEN}


def test_files_without_a_record_are_refused(tmp_path) -> None:
    version = publish(tmp_path)
    metadata = version.metadata.model_copy(update={"files": {}})
    metadata.save(version.path / METADATA)
    with pytest.raises(
        VersionCorrupt, match=r"metadata\.json: expected a record of .*, found none"
    ):
        Version(version.path).verify()


def test_labels_of_another_number_than_the_predictions_are_refused(tmp_path) -> None:
    version = publish(tmp_path, labels=("a", "b", "c"))
    with pytest.raises(
        VersionCorrupt, match=r"expected 3 probabilities for each text.*found \[2\]"
    ):
        version.verify()


def change_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda v: change_byte(v / "saved_model.pb"),
            r"saved_model\.pb: expected sha256 .*, found",
        ),
        (
            lambda v: (v / "saved_model.pb").write_bytes(b"longer than it was"),
            r"saved_model\.pb: expected 7 bytes, found 18 bytes",
        ),
        (
            lambda v: (v / "saved_model.pb").unlink(),
            r"saved_model\.pb: expected a file, found none",
        ),
        (lambda v: change_byte(v / TOKENIZER), r"tokenizer\.json: expected sha256"),
        (lambda v: (v / METADATA).unlink(), "not a metadata file"),
    ],
)
def test_damage_is_named(damage, message: str, tmp_path) -> None:
    version = publish(tmp_path)
    damage(version.path)
    with pytest.raises(VersionCorrupt, match=message):
        Version(version.path).verify()


@pytest.mark.parametrize("place", ["other/1", "toy/2"])
def test_a_version_in_another_place_is_refused(place: str, tmp_path) -> None:
    version = publish(tmp_path)
    (tmp_path / place).parent.mkdir(exist_ok=True)
    moved = Version(version.path.rename(tmp_path / place))
    with pytest.raises(VersionCorrupt, match=f"expected toy/1, found {place}"):
        moved.verify()


def test_a_vocabulary_of_another_size_than_the_embedding_is_refused(tmp_path) -> None:
    shape = make_metadata().architecture.model_copy(update={"vocabulary": 11})
    version = publish(tmp_path, architecture=shape)
    with pytest.raises(VersionCorrupt, match="expected 11 tokens, one for each row .*, found 10"):
        version.verify()


def test_another_tokenizer_than_the_recorded_is_refused(tmp_path) -> None:
    version = publish(tmp_path, tokenizer_sha256="f" * 64)
    with pytest.raises(VersionCorrupt, match=r"tokenizer\.json: expected f{64}, found"):
        version.verify()

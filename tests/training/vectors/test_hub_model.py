"""Models of the Hub are downloaded at a commit, and their record names it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants

from tests.local_hub import Hub, run_hub
from tests.training.vectors.models import write_encoder, write_static_model
from training.errors import DataError
from training.vectors.opening import open_vectors
from training.vectors.source import VectorsError


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with run_hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.partition("/{repo_id}")
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + template[1] + template[2]
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        yield server


def publish(hub: Hub, folder: Path, *, name: str = "org/model") -> str:
    """Put the files of a folder into a repository; return the commit."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    return hub.create(name).commit(files)


@pytest.mark.medium
def test_a_static_model(hub: Hub, tmp_path: Path) -> None:
    table = write_static_model(tmp_path / "model")
    commit = publish(hub, tmp_path / "model")
    source = open_vectors("org/model")
    np.testing.assert_allclose(source.embed(["good"])[0][0], table[2])
    assert (source.record.name, source.record.revision) == ("org/model", commit)
    assert source.record.license == "mit"
    assert source.record.sha256 == open_vectors(str(tmp_path / "model")).record.sha256


@pytest.mark.medium
def test_of_an_encoder_only_what_is_needed_is_downloaded(hub: Hub, tmp_path: Path) -> None:
    table = write_encoder(tmp_path / "model", name="onnx/model.onnx")
    write_encoder(tmp_path / "model", name="onnx/model_int8.onnx")
    (tmp_path / "model" / "pytorch_model.bin").write_bytes(b"large")
    publish(hub, tmp_path / "model")
    np.testing.assert_allclose(open_vectors("org/model").embed(["bad"])[0][0], table[3])
    asked = " ".join(hub.requests)
    assert "model_int8.onnx" in asked
    assert "onnx/model.onnx" not in asked
    assert "pytorch_model.bin" not in asked


@pytest.mark.medium
def test_no_such_model(hub: Hub) -> None:
    with pytest.raises(VectorsError, match=f"no such model at {hub.url}"):
        open_vectors("org/nowhere")


def test_a_model_that_is_only_a_pickle(hub: Hub) -> None:
    hub.create("org/model").commit({"pytorch_model.bin": b"x"})
    with pytest.raises(VectorsError, match="has no tokenizer.json; pytorch_model.bin is a pickle"):
        open_vectors("org/model")


@pytest.mark.medium
def test_a_download_that_fails(hub: Hub, tmp_path: Path) -> None:
    write_static_model(tmp_path / "model")
    publish(hub, tmp_path / "model")
    hub.broken = True
    with pytest.raises(VectorsError, match="'org/model' cannot be downloaded from") as caught:
        open_vectors("org/model")
    assert "\n" not in str(caught.value)


@pytest.mark.medium
def test_a_home_that_cannot_be_written(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_static_model(tmp_path / "model")
    publish(hub, tmp_path / "model")
    (tmp_path / "file").touch()
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "hub"))
    with pytest.raises(DataError, match="set HF_HOME to a folder that can be written"):
        open_vectors("org/model")

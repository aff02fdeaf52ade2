"""A Hub dataset is loaded at one commit, the one that is recorded, or not at all."""

from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest

from models.registry import Store
from tests.local_hub import TOKEN, Hub, run_hub, to_parquet
from tests.training.command import TINY, run_training
from tests.training.loader import Loader, run_loader
from training.data import hub as hub_loader
from training.data.sources import load_source
from training.data.splits import read_data
from training.errors import DataError

pytestmark = pytest.mark.e2e  # which loads in processes of their own

UNUSED_PORT = 9  # discard, which nothing serves today


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with run_hub() as hub:
        configured = hub.create("org/configured")
        configured.commit(
            {
                "README.md": b"---\nconfigs:\n"
                b"- config_name: de\n  data_files: de/train.parquet\n"
                b"- config_name: en\n  data_files: en/train.parquet\n---\n",
                "de/train.parquet": to_parquet(["gut"], ["a"]),
                "en/train.parquet": to_parquet(["good"], ["a"]),
            }
        )
        hub.create("org/tables").commit({"train.csv": b"text,label\nNA,a\nnull,b\n"})
        hub.create("org/numbers").commit(
            {"train.csv": b"text,label\n00501,01\n+1,1E5\n", "test.csv": b"text,label\n1.10,1\n"}
        )
        hub.create("org/script").commit({"script.py": b"", "README.md": b"# Script\n"})
        hub.create("org/bare").commit({"README.md": b"# Nothing else\n"})
        gated = hub.create("org/gated", gated=True)
        gated.commit({"train.parquet": to_parquet(["secret"], ["a"])})
        yield hub


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("huggingface")


@pytest.fixture(scope="module")
def loader(hub: Hub, home: Path) -> Iterator[Loader]:
    with run_loader(HF_HOME=str(home), HF_ENDPOINT=hub.url) as loader:
        yield loader


def commit_reviews(hub: Hub, name: str, *words: str) -> str:
    """Move `main` of a dataset to a new commit of one row per word; return the commit."""
    repository = hub.repositories.get(name) or hub.create(name)
    rows = to_parquet(list(words), ["a"] * len(words))
    return repository.commit({"README.md": b"# Reviews\n", "data/train.parquet": rows})


class TestCommits:
    def test_newest_unless_another_is_asked_for(self, hub: Hub, loader: Loader) -> None:
        first = commit_reviews(hub, "org/moving", "old")
        loaded = loader.load("org/moving")
        assert (loaded["revision"], loaded["texts"]) == (first, {"train": ["old"]})
        assert loaded["name"] == "org/moving"

        second = commit_reviews(hub, "org/moving", "new", "newer")
        loaded = loader.load("org/moving")
        assert (loaded["revision"], loaded["texts"]) == (second, {"train": ["new", "newer"]})
        for revision in (first, second, "main"):
            loaded = loader.load("org/moving", revision=revision)
            expected = first if revision == first else second
            assert loaded["revision"] == expected
            assert loaded["texts"]["train"] == (["old"] if revision == first else ["new", "newer"])

    def test_files_are_those_of_the_commit(self, hub: Hub, loader: Loader) -> None:
        commit = commit_reviews(hub, "org/asked", "text")
        start = len(hub.requests)
        loader.load("org/asked")
        asked = [request for request in hub.requests[start:] if "/resolve/" in request]
        assert any(request.endswith("/data/train.parquet") for request in asked)
        assert all(f"/resolve/{commit}/" in request for request in asked)

    def test_tag(self, hub: Hub, loader: Loader) -> None:
        first = commit_reviews(hub, "org/tagged", "one")
        hub.repositories["org/tagged"].refs["v1.0"] = first
        commit_reviews(hub, "org/tagged", "two")
        loaded = loader.load("org/tagged", revision="v1.0")
        assert (loaded["revision"], loaded["texts"]["train"]) == (first, ["one"])

    @pytest.mark.parametrize("revision", ["no-such-branch", "0" * 40])
    def test_unknown(self, hub: Hub, loader: Loader, revision: str) -> None:
        commit_reviews(hub, "org/known", "text")
        loaded = loader.load("org/known", revision=revision)
        assert loaded["error"] == f"org/known has no revision {revision} at {hub.url}"


class TestDatasets:
    def test_configuration(self, loader: Loader) -> None:
        loaded = loader.load("org/configured", config="en")
        assert loaded["texts"] == {"train": ["good"]}

    def test_configuration_must_be_named(self, loader: Loader) -> None:
        assert loader.load("org/configured")["error"] == (
            "org/configured has several configurations; name one with --dataset-config: de, en"
        )
        assert loader.load("org/configured", config="fr")["error"] == (
            "org/configured has no configuration 'fr'; there are: de, en"
        )

    def test_csv_words_that_look_like_missing_values(self, loader: Loader) -> None:
        assert loader.load("org/tables")["texts"] == {"train": ["NA", "null"]}

    def test_csv_values_stay_as_they_stand(self, loader: Loader) -> None:
        assert loader.load("org/numbers")["texts"] == {"train": ["00501", "+1"], "test": ["1.10"]}

    @pytest.mark.parametrize("dataset", ["org/unknown", "unknown"])
    def test_unknown(self, hub: Hub, loader: Loader, dataset: str) -> None:
        assert loader.load(dataset)["error"] == (
            f"no file or folder {dataset!r} here, and no such dataset at {hub.url} "
            "(a private one needs HF_TOKEN)"
        )

    def test_gated(self, hub: Hub, loader: Loader) -> None:
        assert loader.load("org/gated")["error"] == (
            f"org/gated is gated: accept its terms at {hub.url}/datasets/org/gated, "
            "then set HF_TOKEN to a token of that account"
        )

    def test_loading_script(self, loader: Loader) -> None:
        error = loader.load("org/script")["error"]
        assert error.startswith("cannot load org/script at ")
        assert "Dataset scripts are no longer supported, but found script.py" in error

    def test_no_files(self, loader: Loader) -> None:
        error = loader.load("org/bare")["error"]
        assert error.startswith("cannot load org/bare at ")
        assert error.endswith("doesn't contain any data files")

    def test_reading_data_needs_no_tensorflow(self, hub: Hub, loader: Loader) -> None:
        commit_reviews(hub, "org/light", "text")
        assert loader.load("org/light")["tensorflow"] is False


class TestTrouble:
    """What was loaded before lies in the cache, and must never stand in for what is asked for."""

    @pytest.fixture
    def cached(self, hub: Hub, loader: Loader) -> str:
        commit = commit_reviews(hub, "org/cached", "cached")
        assert loader.load("org/cached")["revision"] == commit
        return commit

    def test_files_cannot_be_had(self, hub: Hub, loader: Loader, cached: str) -> None:
        newer = commit_reviews(hub, "org/cached", "newer")
        hub.broken = True
        try:
            error = loader.load("org/cached")["error"]
        finally:
            hub.broken = False
        assert error == (
            f"cannot load org/cached at {newer}: the Hub does not answer, "
            "and the cached copy may be another"
        )

    def test_files_cannot_be_had_and_nothing_is_cached(self, hub: Hub, loader: Loader) -> None:
        commit = commit_reviews(hub, "org/fresh", "text")
        hub.broken = True
        try:
            error = loader.load("org/fresh")["error"]
        finally:
            hub.broken = False
        assert error.startswith(f"cannot load org/fresh at {commit}: ")
        assert "An error happened while trying to locate the file on the Hub" in error

    def test_nobody_listens(self, hub: Hub, home: Path, cached: str) -> None:
        url = f"http://127.0.0.1:{UNUSED_PORT}"
        with run_loader(HF_HOME=str(home), HF_ENDPOINT=url) as loader:
            for revision in (None, cached):
                error = loader.load("org/cached", revision=revision)["error"]
                assert error.startswith(f"cannot reach the Hub at {url} (")
                assert error.endswith(
                    "Connection refused); download the dataset elsewhere "
                    "and give its folder or file as --dataset"
                )

    def test_offline(self, hub: Hub, home: Path, cached: str) -> None:
        variables = {"HF_HOME": str(home), "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "1"}
        with run_loader(**variables) as loader:
            error = loader.load("org/cached", revision=cached)["error"]
        assert error.startswith(f"cannot reach the Hub at {hub.url} (")
        assert "HF_HUB_OFFLINE" in error

    def test_token_and_a_slash_at_the_end_of_the_address(self, hub: Hub, home: Path) -> None:
        variables = {"HF_HOME": str(home), "HF_ENDPOINT": f"{hub.url}/", "HF_TOKEN": TOKEN}
        with run_loader(**variables) as loader:
            assert loader.load("org/gated")["texts"] == {"train": ["secret"]}

    def test_no_answer(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(hub_loader, "HUB_TIMEOUT_SECONDS", 0.2)
        monkeypatch.setattr(hub, "delay", 1.0)
        with pytest.raises(DataError, match=r"^cannot reach the Hub at .* \(timed out\)"):
            load_source("org/tables", config=None, revision=None)

    def test_refusal(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"{hub.url}/elsewhere")
        with pytest.raises(DataError) as caught:
            load_source("org/tables", config=None, revision=None)
        assert str(caught.value).startswith(
            f"the Hub at {hub.url}/elsewhere refuses org/tables: Client error '404 Not Found'"
        )


@pytest.mark.slow
@pytest.mark.tensorflow
def test_training_records_the_commit(hub: Hub, tmp_path: Path) -> None:
    rows = [
        (f"a {word} evening, number {row}", label)
        for row in range(100)
        for word, label in (("lovely", "like"), ("boring", "dislike"))
    ]
    texts, labels = (list(column) for column in zip(*rows, strict=True))
    repository = hub.create("org/evenings")
    commit = repository.commit(
        {
            "README.md": b"# Evenings\n",
            "data/train-00000-of-00001.parquet": to_parquet(texts, labels),
            "data/test-00000-of-00001.parquet": to_parquet(texts[:20], labels[:20]),
        }
    )
    repository.commit({"data/train.parquet": to_parquet(["later"], ["other"])})
    done = run_training(
        tmp_path,
        *("--dataset=org/evenings", f"--revision={commit}", "--name=evenings", *TINY),
        HF_HOME=str(tmp_path / "huggingface"),
        HF_ENDPOINT=hub.url,
    )
    assert done.returncode == 0, done.stderr
    assert f"data: Hub dataset org/evenings at {commit[:12]}" in done.stderr

    (version,) = Store(tmp_path / "store").versions("evenings")
    version.verify()
    metadata = version.metadata
    assert metadata.labels == ("dislike", "like")
    assert (metadata.data.source, metadata.data.revision) == ("org/evenings", commit)
    splits = {"train": metadata.data.train, "validation": metadata.data.validation}
    assert {name: split.rows for name, split in splits.items()} == {"train": 180, "validation": 20}
    assert metadata.data.test is not None
    assert metadata.data.test.rows == metadata.metrics["test"]["rows"] == 20
    # The same rows, read from a file, have the same digests.
    path = tmp_path / "train.parquet"
    path.write_bytes(to_parquet(texts, labels))
    source = load_source(str(path), config=None, revision=None)
    again = read_data(source, seed=1)
    assert metadata.data.train.sha256 == again.train.sha256
    assert metadata.data.validation.sha256 == again.validation.sha256

"""A version that the trainer published is one that the service can serve."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from fastapi.testclient import TestClient

from models.errors import VersionCorrupt
from models.metadata import FORMAT_VERSION, Metadata
from models.ngram_lookup import NgramLookup
from models.ngrams import spread
from models.registry import Store
from models.replay import EngineName
from models.versions import CARD, METADATA, ONNX, REPORT, Version
from service.engines.batched import compute
from service.engines.loading import open_engine
from service.engines.native import library
from service.engines.protocol import EngineUnavailable, initial_state
from service.settings import Settings
from service.web.app import create_app
from tests.training.loader import uncovered_environment

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def copy(trained: Version, tmp_path: Path) -> Version:
    """A copy of the version that a test may damage."""
    return Version(shutil.copytree(trained.path, tmp_path / "store" / "tiny" / "1"))


@pytest.fixture
def not_compiled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The native engine as it is where there is no compiler."""
    monkeypatch.setattr(library, "library_path", lambda _: tmp_path / "none")


def reseal(version: Version) -> Version:
    """Publish a damaged version anew, so that its hashes are right and only its answers wrong."""
    store = Store(version.path.parents[1])
    with store.staging("tiny") as folder:
        shutil.copytree(version.path, folder, dirs_exist_ok=True)
        return store.publish(folder, metadata=version.metadata)


def test_it_is_whole_and_learned_something(trained: Version) -> None:
    trained.verify()
    assert trained.metadata.metrics["validation"]["accuracy"] > 0.9
    assert trained.metadata.labels == ("dislike", "like")
    assert (trained.path / CARD).read_text().startswith("# tiny\n")


def test_it_says_how_fast_it_is(trained: Version) -> None:
    cost = json.loads((trained.path / REPORT / "report.json").read_text())["cost"]
    assert list(cost["milliseconds_per_text"]) == ["onnx", "savedmodel"]
    assert all(milliseconds > 0 for milliseconds in cost["milliseconds_per_text"].values())
    assert 4 <= cost["timed_tokens"] <= 60
    row = (
        r"\| time to answer \| onnx [\d.,]+\sms, savedmodel [\d.,]+\sms for a text of \d+ tokens, "
    )
    assert re.search(row, (trained.path / CARD).read_text())


def test_one_of_several_labels_is_whole_and_learned_something(trained_tags: Version) -> None:
    trained_tags.verify()
    metadata = trained_tags.metadata
    assert (metadata.task, metadata.labels) == ("multi_label", ("food", "price", "staff"))
    assert metadata.thresholds is not None
    assert all(0 < threshold < 1 for threshold in metadata.thresholds)
    assert metadata.metrics["validation"]["macro_f1"] > 0.9
    assert metadata.settings["class_weight"] == "balanced"


@pytest.mark.parametrize("fixture", ["trained", "trained_tags"])
def test_what_it_was_made_of_is_written_down(fixture: str, request: pytest.FixtureRequest) -> None:
    metadata = request.getfixturevalue(fixture).metadata
    assert metadata.format_version == FORMAT_VERSION
    assert metadata.architecture.ngrams is not None
    assert metadata.architecture.ngrams.columns == (1 if fixture == "trained" else 3)
    assert {"network_weight", "ngram_weight"} <= set(metadata.training)
    assert metadata.baseline["validation"]["rows"] == metadata.metrics["validation"]["rows"]
    assert metadata.baseline["validation"]["macro_f1"] > 0.9


@pytest.mark.parametrize("fixture", ["trained", "trained_tags"])
def test_its_ngrams_can_be_looked_up(fixture: str, request: pytest.FixtureRequest) -> None:
    version: Version = request.getfixturevalue(fixture)
    lookup = NgramLookup.of(version)
    assert lookup is not None
    ids = np.array(version.tokenizer.encode("a superb soup and a waiter " * 20), np.int32)
    engine, logits = open_engine(version, kind="onnx").engine, []
    state = initial_state(version.metadata.state, batch=1)
    for piece in np.split(ids, [32]):
        _, state = engine.step(piece[None], state)
        logits.append(spread(state["ngrams"] * np.sqrt(state["count"]), labels=lookup.labels)[0])
    coming = lookup.coming(ids, every=32)[0]
    assert np.abs(coming).max() > 0.01  # so that there is something to agree on
    np.testing.assert_allclose(coming, logits[1] - logits[0], rtol=0, atol=1e-4)


def test_engines_answer_alike(trained: Version) -> None:
    texts = ["superb!", "an awful evening", "", "dull " * 3_000, "naïve 👍🏽 电影"]
    ids = trained.tokenizer.encode_batch(texts)
    answers = [
        compute(open_engine(trained, kind=kind).engine, ids, state=trained.metadata.state)
        for kind in ("onnx", "savedmodel")
    ]
    np.testing.assert_allclose(*answers, rtol=0, atol=1e-5)
    assert answers[0][0].argmax() == 1
    assert answers[0][1].argmax() == 0


def test_auto_takes_the_fastest_engine(trained: Version) -> None:
    library.find_library()
    assert str(open_engine(trained, kind="auto")) == "the native engine"


@pytest.mark.usefixtures("not_compiled")
def test_auto_says_why_another_engine_serves(trained: Version) -> None:
    opened = open_engine(trained, kind="auto")
    assert opened.engine.name == "onnx"
    assert not opened.failed
    assert str(opened).startswith("the onnx engine (not native: it is not compiled in ")


@pytest.mark.parametrize(
    "damage",
    [
        lambda v: (v.path / ONNX).unlink(),
        lambda v: (v.path / ONNX).write_bytes(b"no model"),
    ],
    ids=["missing", "broken"],
)
@pytest.mark.usefixtures("not_compiled")
def test_auto_falls_back_to_the_reference(damage, copy: Version) -> None:
    damage(copy)
    resealed = reseal(copy)
    opened = open_engine(resealed, kind="auto")
    assert opened.engine.name == "savedmodel"
    assert opened.failed
    with pytest.raises(VersionCorrupt, match="not the graph of a version|a record of model.onnx"):
        open_engine(resealed, kind="onnx")


@pytest.mark.usefixtures("not_compiled")
def test_auto_does_without_a_twin_that_is_not_the_recorded_one(copy: Version) -> None:
    with (copy.path / ONNX).open("ab") as file:
        file.write(b" ")
    copy.verify()
    opened = open_engine(copy, kind="auto")
    assert opened.engine.name == "savedmodel"
    assert "onnx: " in str(opened)
    assert "model.onnx: expected" in str(opened)


def test_wrong_answers_are_refused(copy: Version) -> None:
    golden = json.loads((copy.path / "assets.extra/golden.json").read_text())
    golden["probabilities"][2] = [0.5, 0.5]
    (copy.path / "assets.extra/golden.json").write_text(json.dumps(golden))
    resealed = reseal(copy)
    resealed.verify()
    for kind in get_args(EngineName):
        with pytest.raises(VersionCorrupt, match="golden probabilities of 'An unforgettable film"):
            open_engine(resealed, kind=kind)


def test_an_engine_that_is_not_installed_is_named(copy: Version, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "service.engines.onnx", None)
    with pytest.raises(EngineUnavailable, match="the onnx engine is not installed here"):
        open_engine(copy, kind="onnx")


@pytest.mark.parametrize("engine", get_args(EngineName))
def test_it_is_served(engine: str, trained: Version) -> None:
    app = create_app(Settings(store=trained.path.parents[1], engine=engine, deadline_ms=60_000))
    app.state.service.catalog.refresh()
    with TestClient(app) as client:
        answer = client.post("/predict", json={"texts": ["superb great", "dull"]}).json()
        (model,) = client.get("/models").json()["models"]
    assert [item["label"] for item in answer["predictions"]] == ["like", "dislike"]
    assert model["versions"][0]["engine"] == engine


@pytest.mark.parametrize("engine", get_args(EngineName))
def test_any_number_of_labels_is_served(engine: str, trained_tags: Version) -> None:
    app = create_app(
        Settings(store=trained_tags.path.parents[1], engine=engine, deadline_ms=60_000)
    )
    app.state.service.catalog.refresh()
    texts = {
        "the soup was expensive": {"food", "price"},
        "an evening with the waiter": {"staff"},
        "it is an evening": set(),
    }
    with TestClient(app) as client:
        answer = client.post("/predict", json={"texts": list(texts)}).json()
    found = [set(prediction["labels"]) for prediction in answer["predictions"]]
    assert found == list(texts.values())
    for prediction in answer["predictions"]:
        assert set(prediction["probabilities"]) == set(trained_tags.metadata.labels)


LOAD_AND_STEP = """
import json, sys
import numpy as np
import tensorflow as tf

random = np.random.default_rng(0)
for path, rows, fills in json.loads(sys.argv[1]):
    model = tf.saved_model.load(path)
    default, step = model.signatures["serving_default"], model.signatures["step"]
    for row in rows:
        whole = default(ids=tf.constant([row or [0]], tf.int32))["probabilities"].numpy()
        state = {name: tf.fill([1, *shape], fill) for name, shape, fill in fills}
        out, rest = None, row or [0]
        while rest:
            cut = int(random.integers(1, 40))
            piece, rest = rest[:cut], rest[cut:]
            out = step(ids=tf.constant([piece], tf.int32), **state)
            state = {name: out["next_" + name] for name in state}
        assert np.abs(out["probabilities"].numpy() - whole).max() <= 1e-5, path
    print(whole.shape)
assert not {"models", "service", "training"} & set(sys.modules)
"""


def shipped_versions() -> list[Version]:
    store = Store(Path(__file__).resolve().parents[2] / "models" / "store")
    return [version for name in ("imdb-gru", "imdb-lstm") for version in store.versions(name)]


@pytest.mark.slow
def test_tensorflow_alone_runs_both_signatures(
    trained: Version, trained_tags: Version, tmp_path: Path
) -> None:
    versions = [trained, trained_tags, *shipped_versions()]
    given = [
        (
            str(version.path),
            [list(row) for row in version.golden.ids],
            [(tensor.name, tensor.shape, tensor.fill) for tensor in version.metadata.state],
        )
        for version in versions
    ]
    done = subprocess.run(
        [sys.executable, "-c", LOAD_AND_STEP, json.dumps(given)],
        cwd=tmp_path,
        env=uncovered_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    shapes = [f"(1, {len(version.metadata.labels)})" for version in versions]
    assert done.stdout.splitlines() == shapes, done.stderr


def test_models_are_shipped() -> None:
    assert {version.metadata.name for version in shipped_versions()} == {"imdb-gru", "imdb-lstm"}


@pytest.mark.parametrize("version", shipped_versions(), ids=lambda v: v.path.parent.name)
def test_shipped_models_are_whole_small_and_good(version: Version) -> None:
    version.verify()
    for kind in get_args(EngineName):
        open_engine(version, kind=kind)
    size = sum(path.stat().st_size for path in version.path.rglob("*") if path.is_file())
    assert size < 12e6
    assert version.metadata.metrics["test"]["rows"] == 25_000
    assert version.metadata.metrics["test"]["accuracy"] >= 0.885
    assert Metadata.load(version.path / METADATA).data.source == "imdb"

"""Trains a version from a dataset and publishes it: every step, in its order."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
from rich.table import Table

from models.golden import Golden
from models.metadata import Architecture, DataRecord, Metadata, Setting, SplitRecord
from models.tokenizer import Tokenizer
from models.versions import CARD, EXTRA, GOLDEN, METADATA, TOKENIZER, Store, Version
from training.batches import Examples
from training.calibrate import calibrate
from training.card import write_card
from training.cases import GOLDEN_TEXTS
from training.data import LabelledData, Split, read_data
from training.evaluate import evaluate_export, measure
from training.export import export_saved_model, round_embedding, state_tensors
from training.fit import FitResult, FitSettings, fit
from training.network import NetworkSettings, build_network, predict_logits
from training.onnx_twin import export_onnx
from training.progress import console
from training.provenance import git_commit, library_versions
from training.sources import load_source
from training.vocabulary import learn_vocabulary


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """Everything that decides what comes out, apart from the data and the versions of libraries.

    Args:
        name: Name of the model to publish a version of.
        dataset: File, folder or Hub id.
        config: Configuration of a Hub dataset.
        revision: Branch, tag or commit of a Hub dataset; None for its newest commit.
        text_column: Column that holds the text; None to find it.
        label_column: Column that holds the label; None to find it.
        vocabulary: Tokens of the vocabulary at most.
        max_tokens: Tokens after which a training text is cut. Validation and test are never cut.
        seed: Seed of the split, the weights, the order and the dropout.
        network: Shape of the network.
        fit: How it is fitted.
    """

    name: str
    dataset: str
    config: str | None = None
    revision: str | None = None
    text_column: str | None = None
    label_column: str | None = None
    vocabulary: int = 24_000
    max_tokens: int = 1_000
    seed: int = 1
    network: NetworkSettings
    fit: FitSettings = field(default_factory=FitSettings)

    def record(self) -> dict[str, Setting]:
        """Return the settings by name, for the metadata; what was found is recorded elsewhere."""
        own = {"vocabulary": self.vocabulary, "max_tokens": self.max_tokens, "seed": self.seed}
        return own | asdict(self.network) | asdict(self.fit)


@dataclass(frozen=True)
class Encoded:
    """The splits as token ids."""

    train: list[list[int]]
    validation: list[list[int]]
    test: list[list[int]]


def train(settings: TrainSettings, *, store: Store) -> Version:
    """Train and publish a version.

    Raises:
        TrainingError: Says in one line what is wrong; nothing has been published.
    """
    # The folder is made first, so that a store that cannot be written to is found before training.
    with store.staging(settings.name) as folder:
        data = _load(settings)
        tokenizer = _learn_tokenizer(data, settings)
        encoded = _encode(data, tokenizer)
        network, fitted = _fit(data, encoded, tokenizer, settings)
        temperature = _finish(network, data, encoded)
        metadata = _describe(data, encoded, tokenizer, settings, network, fitted, temperature)
        _export(network, tokenizer, settings, metadata, folder)
        metadata = _evaluate(network, tokenizer, data, encoded, metadata, folder)
        (folder / CARD).write_text(write_card(metadata), encoding="utf-8")
        version = store.publish(folder, metadata=metadata)
    _report(version)
    return version


def _load(settings: TrainSettings) -> LabelledData:
    source = load_source(settings.dataset, config=settings.config, revision=settings.revision)
    console.print(f"data: {source.description}")
    data = read_data(
        source,
        text_column=settings.text_column,
        label_column=settings.label_column,
        seed=settings.seed,
    )
    rows = [f"{len(data.train):,} train", f"{len(data.validation):,} validation"]
    rows += [f"{len(data.test):,} test"] if data.test else []
    console.print(
        f"rows: {', '.join(rows)}; text {data.text_column!r}, "
        f"label {data.label_column!r} with {len(data.labels)} classes"
    )
    for notice in data.notices:
        console.print(f"note: {notice}")
    return data


def _learn_tokenizer(data: LabelledData, settings: TrainSettings) -> Tokenizer:
    with console.status("learning the vocabulary"):
        tokenizer = learn_vocabulary(data.train.texts, size=settings.vocabulary)
    console.print(f"vocabulary: {len(tokenizer):,} tokens")
    return tokenizer


def _encode(data: LabelledData, tokenizer: Tokenizer) -> Encoded:
    with console.status("turning texts into ids"):
        return Encoded(
            tokenizer.encode_batch(data.train.texts),
            tokenizer.encode_batch(data.validation.texts),
            tokenizer.encode_batch(data.test.texts) if data.test else [],
        )


def _fit(
    data: LabelledData, encoded: Encoded, tokenizer: Tokenizer, settings: TrainSettings
) -> tuple[keras.Model, FitResult]:
    too_long = sum(len(row) > settings.max_tokens for row in encoded.train)
    if too_long:
        console.print(f"note: {too_long:,} training texts cut to {settings.max_tokens:,} tokens")
    keras.utils.set_random_seed(settings.seed)
    network = build_network(
        settings.network,
        vocabulary=len(tokenizer),
        labels=len(data.labels),
        seed=settings.seed,
    )
    fitted = fit(
        network,
        _examples([row[: settings.max_tokens] for row in encoded.train], data.train),
        _examples(encoded.validation, data.validation),
        settings=settings.fit,
        seed=settings.seed,
    )
    console.print(
        f"fitted: best of {fitted.epochs} epochs was {fitted.best_epoch}; {fitted.seconds:.0f} s, "
        f"{fitted.tokens_per_second:,.0f} tokens/s, {fitted.padding:.1%} padding"
    )
    return network, fitted


def _examples(ids: list[list[int]], split: Split) -> Examples:
    return Examples([np.array(row, np.int32) for row in ids], split.labels)


def _finish(network: keras.Model, data: LabelledData, encoded: Encoded) -> float:
    """Make the network the one that will be served: rounded, then calibrated; return the temperature."""
    with console.status("calibrating"):
        round_embedding(network)
        logits = predict_logits(network, encoded.validation)
        return calibrate(network, logits, data.validation.labels)


def _describe(
    data: LabelledData,
    encoded: Encoded,
    tokenizer: Tokenizer,
    settings: TrainSettings,
    network: keras.Model,
    fitted: FitResult,
    temperature: float,
) -> Metadata:
    """Return the metadata, but for what is measured on the export and what the store fills in."""
    shape = settings.network
    return Metadata(
        name=settings.name,
        version=1,
        created=datetime.now(UTC).replace(microsecond=0),
        git_commit=git_commit(),
        task="single_label",
        labels=data.labels,
        thresholds=None,
        tokenizer_sha256=tokenizer.digest,
        architecture=Architecture(
            cell=shape.cell,
            layers=shape.layers,
            units=shape.units,
            embedding=shape.embedding,
            vocabulary=len(tokenizer),
            parameters=network.count_params(),
        ),
        streamable=True,
        state=state_tensors(shape),
        data=_record_data(data, encoded),
        settings=settings.record(),
        metrics={},
        training={
            "seconds": round(fitted.seconds, 1),
            "tokens_per_second": round(fitted.tokens_per_second),
            "padding": round(fitted.padding, 4),
            "epochs": fitted.epochs,
            "best_epoch": fitted.best_epoch,
            "temperature": temperature,
        },
        libraries=library_versions(),
        files={},
    )


def _record_data(data: LabelledData, encoded: Encoded) -> DataRecord:
    return DataRecord(
        source=data.source.name,
        config=data.source.config,
        revision=data.source.revision,
        text_column=data.text_column,
        label_column=data.label_column,
        train=_record_split(data.train, encoded.train),
        validation=_record_split(data.validation, encoded.validation),
        test=_record_split(data.test, encoded.test) if data.test else None,
    )


def _record_split(split: Split, ids: list[list[int]]) -> SplitRecord:
    return SplitRecord(
        split=split.name, rows=len(split), tokens=sum(map(len, ids)), sha256=split.sha256
    )


def _export(
    network: keras.Model,
    tokenizer: Tokenizer,
    settings: TrainSettings,
    metadata: Metadata,
    folder: Path,
) -> None:
    with console.status("exporting"):
        export_saved_model(network, settings.network, folder=folder)
        export_onnx(network, settings.network, folder=folder)
        (folder / EXTRA).mkdir()
        tokenizer.save(folder / TOKENIZER)
        metadata.save(folder / METADATA)


def _evaluate(
    network: keras.Model,
    tokenizer: Tokenizer,
    data: LabelledData,
    encoded: Encoded,
    metadata: Metadata,
    folder: Path,
) -> Metadata:
    """Prove the export against the network, record its golden predictions; add its metrics."""
    splits = {"validation": (encoded.validation, data.validation.labels)}
    if data.test is not None:
        splits["test"] = (encoded.test, data.test.labels)
    golden = tokenizer.encode_batch(GOLDEN_TEXTS)
    proof = evaluate_export(
        network, folder, golden=golden, splits={name: ids for name, (ids, _) in splits.items()}
    )
    recorded = Golden.record(GOLDEN_TEXTS, tokenizer=tokenizer, predict=lambda _: proof.golden)
    recorded.save(folder / GOLDEN)
    metrics = {name: measure(proof.splits[name], labels) for name, (_, labels) in splits.items()}
    return metadata.model_copy(update={"metrics": metrics})


def _report(version: Version) -> None:
    table = Table("rows", "accuracy", "macro-F1", "log loss", box=None)
    for split, figures in version.metadata.metrics.items():
        shown = [f"{figures[key]:.4f}" for key in ("accuracy", "macro_f1", "log_loss")]
        table.add_row(f"{split} ({figures['rows']:,.0f})", *shown)
    console.print(table)
    console.print(f"published {version.metadata.name}:{version.number} at {version.path}")

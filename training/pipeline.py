"""Trains a version from a dataset and publishes it: every step, in its order."""

from pathlib import Path

import keras
import numpy as np
from rich.table import Table

from models.golden import Golden
from models.metadata import Metadata
from models.versions import CARD, EXTRA, GOLDEN, METADATA, TOKENIZER, Store, Version
from training.batches import Examples
from training.calibrate import calibrate
from training.card import write_card
from training.cases import GOLDEN_TEXTS
from training.console import console
from training.describe import describe
from training.evaluate import evaluate_export, measure
from training.export import export_saved_model, round_embedding
from training.fit import Fitted, fit
from training.network import build_network
from training.onnx_twin import export_onnx
from training.prepare import Prepared
from training.settings import TrainSettings


def train(prepared: Prepared, settings: TrainSettings, *, store: Store) -> Version:
    """Train a version on prepared data and publish it.

    Raises:
        TrainingError: Says in one line what is wrong; nothing has been published.
    """
    # The folder is made first, so that a store that cannot be written to is found before training.
    with store.staging(settings.name) as folder:
        fitted = _fit(prepared, settings)
        metadata = describe(prepared, fitted, settings)
        _export(fitted.network, prepared, settings, metadata=metadata, folder=folder)
        metadata = _evaluate(fitted.network, prepared, metadata=metadata, folder=folder)
        (folder / CARD).write_text(write_card(metadata), encoding="utf-8")
        version = store.publish(folder, metadata=metadata)
    _report(version)
    return version


def _fit(prepared: Prepared, settings: TrainSettings) -> Fitted:
    """Return a network that is what will be served: fitted, rounded, then calibrated."""
    keras.utils.set_random_seed(settings.seed)
    network = build_network(
        settings.network,
        vocabulary=len(prepared.tokenizer),
        labels=len(prepared.data.labels),
        seed=settings.seed,
    )
    train = _examples(prepared, "train", cut=settings.max_tokens)
    validation = _examples(prepared, "validation", cut=None)
    fitted = fit(network, train, validation, settings=settings.fit, seed=settings.seed)
    console.print(
        f"fitted: best of {fitted.epochs} epochs was {fitted.best_epoch}; {fitted.seconds:.0f} s, "
        f"{fitted.tokens_per_second:,.0f} tokens/s, {fitted.padding:.1%} padding"
    )
    with console.status("calibrating"):
        round_embedding(network)
        fitted.temperature = calibrate(network, validation)
    return fitted


def _examples(prepared: Prepared, purpose: str, *, cut: int | None) -> Examples:
    ids = [np.array(row[:cut], np.int32) for row in prepared.ids[purpose]]
    return Examples(ids, prepared.data.splits[purpose].labels)


def _export(
    network: keras.Model,
    prepared: Prepared,
    settings: TrainSettings,
    *,
    metadata: Metadata,
    folder: Path,
) -> None:
    with console.status("exporting"):
        export_saved_model(network, settings.network, folder=folder)
        export_onnx(network, settings.network, folder=folder)
        (folder / EXTRA).mkdir()
        prepared.tokenizer.save(folder / TOKENIZER)
        metadata.save(folder / METADATA)


def _evaluate(
    network: keras.Model, prepared: Prepared, *, metadata: Metadata, folder: Path
) -> Metadata:
    """Prove the export against the network, record its golden predictions; add its metrics."""
    splits = {purpose: rows for purpose, rows in prepared.ids.items() if purpose != "train"}
    golden = prepared.tokenizer.encode_batch(GOLDEN_TEXTS)
    proof = evaluate_export(network, folder, golden=golden, splits=splits)
    Golden.record(GOLDEN_TEXTS, ids=golden, probabilities=proof.golden).save(folder / GOLDEN)
    metrics = {
        purpose: measure(probabilities, prepared.data.splits[purpose].labels)
        for purpose, probabilities in proof.splits.items()
    }
    return metadata.model_copy(update={"metrics": metrics})


def _report(version: Version) -> None:
    table = Table("rows", "accuracy", "macro-F1", "log loss", box=None)
    for split, figures in version.metadata.metrics.items():
        shown = [f"{figures[key]:.4f}" for key in ("accuracy", "macro_f1", "log_loss")]
        table.add_row(f"{split} ({figures['rows']:,.0f})", *shown)
    console.print(table)
    console.print(f"published {version.metadata.name}:{version.number} at {version.path}")

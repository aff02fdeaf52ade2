"""Measures training speed: our loop beside `model.fit` on texts padded to a fixed length.

All fit the same network to the same rows, with equally many texts a step, in turns in one process.
`model.fit` runs once with Keras's recurrent layer and once with ours. That shows the gain of the
layer apart from that of the batches. Only tokens that are learned from count: neither padding nor
tokens that are cut off.

    python -m benchmarks.training_speed --dataset imdb-folder
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from models.quiet_start import quiet_start

FIXED = 400  # tokens, as tutorials pad IMDB
LONGEST = 1_000  # tokens after which our trainer cuts


@dataclass(frozen=True)
class Work:
    """The common work: token ids and class of each row, (rows,); the network; texts per step."""

    ids: list[NDArray[np.int32]]
    labels: NDArray[np.int32]
    vocabulary: int
    cell: str
    batch: int

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.labels.max()) + 1


def main(
    dataset: Annotated[str, typer.Option(help="As for python -m training train.")],
    cell: Annotated[str, typer.Option(help="lstm, gru or rnn.")] = "gru",
    rows: Annotated[int, typer.Option(min=64, help="Rows of train to fit.")] = 2_000,
    batch: Annotated[int, typer.Option(min=1, help="Texts per step.")] = 32,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each, in turn.")] = 5,
) -> None:
    """Print the tokens per second of each, medians of several runs, as multiples of the first."""
    work = Work(*_read(dataset, rows=rows), cell=cell, batch=batch)
    with quiet_start():
        import tensorflow  # noqa: F401
    runs = {
        "model.fit": _plain(work, _build_with_keras_layer),
        "model.fit, our layer": _plain(work, _build),
        "gatewise": _ours(work),
    }
    for run in runs.values():
        run()  # traces and compiles
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            speeds[name].append(run())
    first = statistics.median(speeds["model.fit"])
    for name, found in speeds.items():
        median, spread = statistics.median(found), f"{min(found):,.0f} to {max(found):,.0f}"
        typer.echo(f"{name:20} {median:>9,.0f} tokens/s  ({spread})  {median / first:.2f}")


def _read(dataset: str, *, rows: int) -> tuple[list[NDArray[np.int32]], NDArray[np.int32], int]:
    from training.data.sources import load_source
    from training.data.splits import read_data
    from training.data.vocabulary import learn_vocabulary

    source = load_source(dataset, config=None, revision=None)
    train = read_data(source, seed=1).train
    chosen = train.take(np.random.default_rng(1).permutation(len(train))[:rows], name="train")
    tokenizer = learn_vocabulary(train.texts, size=12_000)
    ids = [np.array(row, np.int32) for row in tokenizer.encode_batch(chosen.texts)]
    return ids, chosen.labels, len(tokenizer)


def _build(work: Work) -> Any:
    from training.network.build import build_network
    from training.settings import NetworkSettings

    shape = NetworkSettings(cell=work.cell)
    return build_network(shape, vocabulary=work.vocabulary, labels=work.classes, seed=1)


def _build_with_keras_layer(work: Work) -> Any:
    """Return the network with Keras's own recurrent layer."""
    import keras

    from training.network.recurrence import KERAS_LAYERS

    def swap(layer: Any) -> Any:
        if not layer.name.startswith("recurrent_"):
            return layer
        return KERAS_LAYERS[work.cell](layer.units, return_sequences=True, name=layer.name)

    return keras.models.clone_model(_build(work), clone_function=swap)


def _plain(work: Work, build: Callable[[Work], Any]) -> Callable[[], float]:
    import keras

    network = build(work)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.AdamW(2e-3), loss)
    padded = keras.utils.pad_sequences(work.ids, FIXED, padding="post", truncating="post")
    tokens = int((padded > 0).sum())

    def run() -> float:
        started = time.perf_counter()
        network.fit(padded, work.labels, batch_size=work.batch, verbose=0)
        return tokens / (time.perf_counter() - started)

    return run


def _ours(work: Work) -> Callable[[], float]:
    from training.fitting.batches import Examples, LengthBatches
    from training.fitting.fit import make_optimizer, make_step
    from training.fitting.objective import make_loss
    from training.settings import FitSettings
    from training.targets import soften

    network = _build(work)
    targets = soften(work.labels, labels=work.classes)
    examples = Examples([row[:LONGEST] for row in work.ids], targets)
    batches = LengthBatches(examples, size=work.batch, seed=1)
    optimizer = make_optimizer(network, FitSettings(batch=work.batch), steps=1_000)
    loss = make_loss(np.ones(work.classes, np.float32), task="single_label")
    step = make_step(network, optimizer, loss=loss)

    def run() -> float:
        started = time.perf_counter()
        for number, (texts, targets) in enumerate(batches.epoch(0)):
            value, _ = step(texts, targets)
            if number % 20 == 0:
                float(value)  # so that no steps pile up
        return examples.tokens / (time.perf_counter() - started)

    return run


if __name__ == "__main__":
    typer.run(main)

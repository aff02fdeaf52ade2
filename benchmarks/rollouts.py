"""Measures what a version on trial costs a request, and how many labels two versions flip.

python -m benchmarks.rollouts cost
python -m benchmarks.rollouts flips --dataset ../shared/data/rotten_tomatoes
"""

import asyncio
import itertools
import random
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import datasets
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from models.registry import Store
from models.steering import give_label
from service.answering.answerer import NOBODY, Answered, Answerer
from service.answering.trials import Choice
from service.engines.loading import open_engine
from service.rollout.comparison import given_labels
from service.rollout.copies import Copies
from service.rollout.rollouts import Rollouts
from service.rollout.rule import tolerated_flips
from service.settings import Settings
from service.web.app import create_app
from service.web.state import ServiceState

SHIPPED = Store(Path("models/store"))
REQUESTS = 1_000  # of a round
ROUNDS = 10
WAYS: dict[str, dict[str, float] | None] = {
    "no labels": None,
    "canary, 10 %": {"share": 0.1},
    "shadow, 10 %": {"shadow": 0.1},
    "shadow, all": {"shadow": 1.0},
}
FILLER = [
    "the",
    "plot",
    "was",
    "an",
    "evening",
    "with",
    "actors",
    "and",
    "music",
    "it",
    "is",
    "a",
    "story",
    "about",
    "people",
]

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def cost() -> None:
    """Time the choice of a version, and what comparing adds to a request before its answer."""
    table = Table("traffic", "choice, µs", "added, µs", "compared", "dropped", box=None)
    for name, parts in WAYS.items():
        with tempfile.TemporaryDirectory() as folder:
            store = _make_store(Path(folder), parts)
            table.add_row(name, *asyncio.run(_measure(store)))
    Console().print(table)


def _make_store(folder: Path, parts: dict[str, float] | None) -> Store:
    """Return a store with the LSTM, and once more on trial."""
    store, shipped = Store(folder), SHIPPED.resolve("imdb-lstm")
    for _ in range(2):
        with store.staging("imdb") as staging:
            shutil.copytree(shipped.path, staging, dirs_exist_ok=True)
            metadata = shipped.metadata.model_copy(update={"name": "imdb"})
            store.publish(staging, metadata=metadata)
    if parts is not None:
        give_label(store, store.resolve("imdb:1"), "stable")
        give_label(store, store.resolve("imdb:2"), "canary", **parts)
    return store


async def _measure(store: Store) -> tuple[str, ...]:
    """Return the best of all rounds, because other work on the machine only adds."""
    with _serving(store) as state:
        ids = [b"%032x" % random.getrandbits(128) for _ in range(REQUESTS)]
        choices = [state.catalog.choose(None, version=None, request=each) for each in ids]
        instant = _Instant(await state.answerer.answer(choices[0].classifier, ["a"], caller=NOBODY))
        compared = Rollouts(
            state.catalog,
            instant,
            Copies(state.tokenizer, state.scheduler, slower=3),
            store=store,
            mode="watch",
            flips=None,
            slower=3,
        )
        chosen, answered, alone = [], [], []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            for each in ids:
                state.catalog.choose(None, version=None, request=each)
            chosen.append((time.perf_counter() - started) / REQUESTS)
            answered.append(await _answer(compared.answer, choices))
            alone.append(await _answer(instant.answer, choices))
        await asyncio.sleep(1)
        found = [each.evidence for each in compared.standings]
        compared.shutdown()
    return (
        f"{1e6 * min(chosen):.1f}",
        f"{1e6 * (min(answered) - min(alone)):.1f}",
        f"{sum(each.requests for each in found):.0f}",
        f"{sum(each.dropped for each in found):.0f}",
    )


class _Instant(Answerer):
    """Has the same answer for everything, so that what is around it can be timed."""

    def __init__(self, answered: Answered) -> None:
        self._answered = answered

    async def answer(self, *_: Any, **__: Any) -> Answered:
        return self._answered


async def _answer(answer: Callable[..., Awaitable[Answered]], choices: list[Choice]) -> float:
    """Return the median seconds of an answer, before what comes after it."""
    seconds = []
    for choice in choices:
        text = " ".join([*random.choices(FILLER, k=8), str(next(_numbers))])
        started = time.perf_counter()
        await answer(choice, [text], caller=NOBODY)
        seconds.append(time.perf_counter() - started)
        await asyncio.sleep(0.0005)
    return float(np.median(seconds))


_numbers = itertools.count()


@contextmanager
def _serving(store: Store) -> Iterator[ServiceState]:
    state: ServiceState = create_app(Settings(store=store.root, rollout="watch")).state.service
    state.catalog.refresh()
    state.scheduler.start()
    try:
        yield state
    finally:
        state.shutdown()


@app.command()
def flips(
    dataset: Annotated[str, typer.Option(help="Dataset with a split 'test' and a column 'text'.")],
    rows: Annotated[int, typer.Option(help="Rows at most, drawn at random.")] = 5_000,
) -> None:
    """Count how many labels the shipped versions flip, beside what is tolerated."""
    table = datasets.load_dataset(dataset, split="test").shuffle(seed=1)
    table = table.select(range(min(rows, len(table))))
    versions = [SHIPPED.resolve(f"imdb-{cell}") for cell in ("gru", "lstm")]
    found = []
    for version in versions:
        engine = open_engine(version, kind="auto").engine
        probabilities = engine.predict(version.tokenizer.encode_batch(table["text"][:]))
        found.append([given_labels(version.metadata, row) for row in probabilities])
        right = np.mean(probabilities.argmax(axis=1) == np.array(table["label"][:]))
        typer.echo(f"{version.reference}: {right:.2%} of {len(table):,} texts are right")
    flipped = np.mean([one != other for one, other in zip(*found, strict=True)])
    tolerated = tolerated_flips(*(version.metadata for version in versions))
    typer.echo(f"{flipped:.2%} of the labels flip; {tolerated:.2%} are tolerated")


if __name__ == "__main__":
    app()

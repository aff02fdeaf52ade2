"""The cost to store and to run a contestant, measured on its export with the service's code."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.batching import Row
from models.replay import EXACT_ENGINES, EngineName
from training.export.metadata import make_metadata
from training.export.version import export_version
from training.prepare import Prepared
from training.recipe.learn import Learned
from training.replay import draw_timed, replay
from training.settings import TrainSettings

TEXTS = 40  # timed at each length
STREAMED = 5  # texts read token by token
STREAMED_TOKENS = 100  # of each at most


@dataclass(frozen=True, kw_only=True)
class EngineCost:
    """The times of an engine, in milliseconds, one text at a time.

    Args:
        texts: Time of a text cut to each length; the last is a whole text.
        token: Time of one more token of a stream.
        microseconds: Time of a token of a whole text, with its share of the call.
    """

    texts: list[float]
    token: float
    microseconds: float


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost of a contestant.

    Args:
        megabytes: Size of the exported version for all engines, in 10⁶ bytes.
        engines: Costs by engine.
    """

    megabytes: float
    engines: dict[str, EngineCost]


def measure_cost(
    learned: Learned, prepared: Prepared, *, settings: TrainSettings, cuts: list[int]
) -> Cost:
    """Export a classifier and time it on validation texts cut to each length of `cuts`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        metadata = make_metadata(prepared, learned, settings)
        export_version(learned.classifier, prepared, metadata=metadata, folder=folder)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        rows = prepared.ids["validation"]
        return Cost(
            megabytes=size / 1e6,
            engines={engine: _time(folder, rows, cuts, engine=engine) for engine in EXACT_ENGINES},
        )


def _time(
    folder: Path, rows: list[list[int]], cuts: list[int], *, engine: EngineName
) -> EngineCost:
    texts = [rows[row] for row in draw_timed(len(rows))[:TEXTS]]
    # Lengths alternate, so that all of them are timed even if the time runs out.
    timed: list[Row] = [text[:cut] for text in texts for cut in cuts]
    streamed = [text[:STREAMED_TOKENS] for text in texts[:STREAMED]]
    found = replay(
        folder,
        [*timed, *streamed],
        engine=engine,
        timed=np.arange(len(timed)),
        watched=range(len(timed), len(timed) + len(streamed)),
    )
    by_cut = [
        float(np.median(found.milliseconds[place :: len(cuts)])) for place in range(len(cuts))
    ]
    whole = found.milliseconds[len(cuts) - 1 :: len(cuts)]
    tokens = [max(1, len(text)) for text in texts[: len(whole)]]
    return EngineCost(
        texts=by_cut,
        token=found.looking / len(found.looks),
        microseconds=1e3 * float(whole.sum()) / sum(tokens),
    )

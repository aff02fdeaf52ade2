"""What computing costs with one engine on this machine, measured while it is warmed up."""

import time
from dataclasses import dataclass

import numpy as np

from models.batching import Ids
from models.metadata import StateTensor
from models.tokenizer import UNKNOWN
from service.engines.protocol import Engine, initial_state

SHORT, LONG, MANY = 8, 64, 8
ROUNDS = 5
LEAST = 1e-9  # seconds; a cost that noise made negative


@dataclass(frozen=True)
class Cost:
    """Seconds that one call takes: `call + tokens * (step + texts * text)`.

    A step reads one token of every text: its weights are fetched once for all of them, which is
    what a batch saves.

    Args:
        call: Of the call itself.
        step: Of a step, whatever the number of texts.
        text: Of each text in a step.
    """

    call: float
    step: float
    text: float

    @property
    def seconds_per_token(self) -> float:
        """Of one text alone."""
        return self.step + self.text

    def seconds(self, tokens: int, *, texts: int = 1, calls: int = 1) -> float:
        """Return what so many tokens of each of so many texts take in so many calls."""
        return calls * self.call + tokens * (self.step + texts * self.text)

    def tokens_within(self, seconds: float, *, texts: int = 1) -> int:
        """Return how many tokens of each text can be read in one call, at least one."""
        return max(1, int((seconds - self.call) / (self.step + texts * self.text)))


def measure_cost(engine: Engine, state: tuple[StateTensor, ...]) -> Cost:
    """Return what calls of an engine cost.

    Four shapes are timed, in turn, each as the fastest of a few: what else runs only adds.

    Args:
        engine: The engine.
        state: State tensors of its version; without any, whole texts are timed.
    """
    shapes = [(texts, tokens) for texts in (1, MANY) for tokens in (SHORT, LONG)]
    fastest = dict.fromkeys(shapes, float("inf"))
    for _ in range(ROUNDS):
        for texts, tokens in shapes:
            ids = np.full((texts, tokens), UNKNOWN, np.int32)
            taken = _time(engine, ids, state)
            fastest[texts, tokens] = min(taken, fastest[texts, tokens])
    alone = (fastest[1, LONG] - fastest[1, SHORT]) / (LONG - SHORT)
    together = (fastest[MANY, LONG] - fastest[MANY, SHORT]) / (LONG - SHORT)
    text = max(LEAST, (together - alone) / (MANY - 1))
    step = max(LEAST, alone - text)
    return Cost(max(LEAST, fastest[1, SHORT] - SHORT * (step + text)), step, text)


def _time(engine: Engine, ids: Ids, state: tuple[StateTensor, ...]) -> float:
    before = initial_state(state, batch=len(ids))
    started = time.perf_counter()
    if state:
        engine.step(ids, before)
    else:
        engine.predict(ids)
    return time.perf_counter() - started

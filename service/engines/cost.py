"""The cost of computing with one engine on this machine, measured during its warm-up."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.batching import Row
from models.metadata import StateTensor
from models.tokenizer import UNKNOWN
from service.engines.protocol import Engine, RaggedEngine, initial_state

SHORT, LONG, MANY = 8, 64, 8
ROUNDS = 5
LEAST = 1e-9  # seconds; replaces a cost that noise made negative


@dataclass(frozen=True)
class Cost:
    """Seconds of one call: `call + tokens * (step + texts * text)`.

    A step reads one token of every text. It fetches the weights once for all texts; this is the
    gain of a batch.

    Args:
        call: Seconds of the call itself.
        step: Seconds of a step, independent of the number of texts.
        text: Seconds of each text in a step.
        padded: Whether a text takes part in steps after its end.
    """

    call: float
    step: float
    text: float
    padded: bool = True

    @property
    def seconds_per_token(self) -> float:
        """Seconds of a token of one text alone."""
        return self.step + self.text

    def seconds(self, tokens: int, *, texts: int = 1, calls: int = 1) -> float:
        """Return the seconds for `tokens` tokens of each of `texts` texts in `calls` calls."""
        return calls * self.call + tokens * (self.step + texts * self.text)

    def of_batch(self, *, longest: int, texts: int, tokens: int) -> float:
        """Return the seconds of a call.

        Args:
            longest: Tokens of its longest text.
            texts: Number of texts.
            tokens: Tokens of all of them.
        """
        taking_part = texts * longest if self.padded else tokens
        return self.call + longest * self.step + taking_part * self.text

    def tokens_within(self, seconds: float, *, texts: int = 1) -> int:
        """Return the tokens of each text that one call can read in `seconds`, at least 1."""
        return max(1, int((seconds - self.call) / (self.step + texts * self.text)))


def measure_cost(engine: Engine, state: tuple[StateTensor, ...]) -> Cost:
    """Measure the cost of an engine's calls.

    Four shapes are timed in turn. The fastest of a few calls counts, because other work on the
    machine only adds time.

    Args:
        engine: The engine.
        state: State tensors of its version; without them whole texts are timed.
    """
    shapes = [(texts, tokens) for texts in (1, MANY) for tokens in (SHORT, LONG)]
    fastest = dict.fromkeys(shapes, float("inf"))
    for _ in range(ROUNDS):
        for texts, tokens in shapes:
            rows = [np.full(tokens, UNKNOWN, np.int32)] * texts
            taken = _time(engine, rows, state)
            fastest[texts, tokens] = min(taken, fastest[texts, tokens])
    alone = (fastest[1, LONG] - fastest[1, SHORT]) / (LONG - SHORT)
    together = (fastest[MANY, LONG] - fastest[MANY, SHORT]) / (LONG - SHORT)
    text = max(LEAST, (together - alone) / (MANY - 1))
    step = max(LEAST, alone - text)
    call = max(LEAST, fastest[1, SHORT] - SHORT * (step + text))
    return Cost(call, step, text, padded=not isinstance(engine, RaggedEngine))


def _time(engine: Engine, rows: Sequence[Row], state: tuple[StateTensor, ...]) -> float:
    before = initial_state(state, batch=len(rows))
    started = time.perf_counter()
    if state:
        engine.step(rows, before)
    else:
        engine.predict(rows)
    return time.perf_counter() - started

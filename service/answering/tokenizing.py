"""Text to ids without keeping other requests waiting."""

import asyncio
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from models.batching import Row
from service.answering.classifier import Classifier
from service.errors import ClientGone, NeverBegun
from service.scheduling.scheduler import Watch

INLINE_CHARS = 8_192  # in all; for so few a thread costs more than it saves
PIECE_CHARS = 4_096
UNBROKEN_CHARS = 4_096  # twice as many as a tokenizer ever holds back
MOST_CHARS = 8  # of a token, on average, in any text that is worth an estimate

_SPACE = re.compile(r"\s")


class TokenizerThread:
    """Turns long texts into ids, step by step in a thread.

    Requests take turns after each step. In between the event loop looks whether somebody still
    waits for the answer.

    Args:
        chars: Characters of a step, at least.
    """

    def __init__(self, *, chars: int = PIECE_CHARS) -> None:
        self._chars = chars
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tokenize")

    async def encode(
        self,
        classifier: Classifier,
        texts: Sequence[str],
        *,
        deadline: float = math.inf,
        watch: Watch | None = None,
    ) -> list[Row]:
        """Return the ids of each text.

        Args:
            classifier: The version that is to read them.
            texts: The texts.
            deadline: When ids come too late, on the clock `time.monotonic`.
            watch: Watches for a caller that leaves; None if there is no telling.

        Raises:
            NeverBegun: The deadline has passed.
            ClientGone: The caller left.
        """
        left: list[bool] = []
        end_watch = watch(partial(left.append, True)) if watch is not None else None
        try:
            return await self._encode(classifier, texts, partial(_check, deadline, left))
        finally:
            if end_watch is not None:
                end_watch()

    async def _encode(
        self, classifier: Classifier, texts: Sequence[str], check: Callable[[], None]
    ) -> list[Row]:
        loop, rows = asyncio.get_running_loop(), list[Row]()
        steps = _encode_in_steps(classifier, texts, chars=self._chars, rows=rows)
        while await loop.run_in_executor(self._thread, _advance, steps):
            check()
        return rows

    def shutdown(self) -> None:
        """End the thread."""
        self._thread.shutdown(cancel_futures=True)


def _encode_in_steps(
    classifier: Classifier, texts: Sequence[str], *, chars: int, rows: list[Row]
) -> Iterator[None]:
    """Add the ids of each text to rows, and yield each time that so many characters are read."""
    done = 0
    for text in texts:
        pieces = [np.empty(0, np.int32)]  # of lists, all would need ten times the memory
        for piece in cut(text, chars=PIECE_CHARS, split_open=classifier.split_open):
            pieces.append(np.asarray(classifier.encode(piece), np.int32))
            done += len(piece)
            if done >= chars:
                done = 0
                yield
        rows.append(np.concatenate(pieces))


def _advance(steps: Iterator[None]) -> bool:
    """Go on to the end of a step; return False once there is none."""
    for _ in steps:
        return True
    return False


def _check(deadline: float, left: Sequence[bool]) -> None:
    """Raise ServiceError if nobody waits any more."""
    if left:
        raise ClientGone("the client is gone")
    if deadline <= time.monotonic():
        raise NeverBegun("its deadline had passed before its text was turned into tokens")


def is_short(texts: Sequence[str]) -> bool:
    """Whether ids of texts are made at once, without a thread."""
    return sum(map(len, texts)) <= INLINE_CHARS


def encode_at_once(classifier: Classifier, texts: Sequence[str]) -> list[Row]:
    """Return the ids of each of some short texts."""
    return [classifier.encode(text) for text in texts]


def fewest_seconds(classifier: Classifier, texts: Sequence[str]) -> float:
    """Return what computing texts takes at least, before it is known how many tokens they have."""
    return classifier.runner.cost.seconds(sum(map(len, texts)) // MOST_CHARS)


def most_seconds(classifier: Classifier, texts: Sequence[str]) -> float:
    """Return what computing texts takes at most, before it is known how many tokens they have."""
    return classifier.runner.cost.seconds(sum(map(len, texts)))


def cut(text: str, *, chars: int, split_open: Callable[[str], tuple[str, str]]) -> Iterator[str]:
    """Yield pieces of about so many characters, whose tokens together are those of the text.

    Cuts are at white space, where no word goes on. Where there is none for long, they are where no
    later text changes the tokens before.

    Args:
        text: The text.
        chars: Characters of a piece.
        split_open: Returns the part of a text whose tokens are final, and the rest.
    """
    start = 0
    while start < len(text):
        end = start + chars + UNBROKEN_CHARS
        space = _SPACE.search(text, start + chars, end)
        if space is not None:
            end = space.start()
        elif end < len(text):
            end = start + len(split_open(text[start:end])[0])
        yield text[start:end]
        start = end

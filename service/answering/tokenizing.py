"""Text to ids without keeping other requests waiting."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from models.batching import Row
from service.answering.classifier import Classifier

INLINE_CHARS = 8_192  # in all; for so few a thread costs more than it saves
PIECE_CHARS = 4_096
# With 0 this thread often takes the interpreter again before others wake.
PAUSE_SECONDS = 1e-4
MOST_CHARS = 8  # of a token, on average, in any text that is worth an estimate


class TokenizerThread:
    """Turns texts into ids: short ones at once, long ones in a thread that pauses often.

    Args:
        pause: Seconds between two pieces of a text, in which other threads run; 0 where none waits.
    """

    def __init__(self, *, pause: float = PAUSE_SECONDS) -> None:
        self._pause = pause
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tokenize")

    async def encode(self, classifier: Classifier, texts: Sequence[str]) -> list[Row]:
        """Return the ids of each text."""
        if is_short(texts):
            return [classifier.encode(text) for text in texts]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._encode_all, classifier, texts)

    def _encode_all(self, classifier: Classifier, texts: Sequence[str]) -> list[Row]:
        return [self._encode(classifier, text) for text in texts]

    def _encode(self, classifier: Classifier, text: str) -> Row:
        """Return the ids of a text, piece by piece, with a pause between two."""
        pieces = [np.empty(0, np.int32)]  # of lists, all would need ten times the memory
        for piece in cut(text, chars=PIECE_CHARS):
            pieces.append(np.asarray(classifier.encode(piece), np.int32))
            if self._pause:
                time.sleep(self._pause)
        return np.concatenate(pieces)

    def shutdown(self) -> None:
        """End the thread."""
        self._thread.shutdown(cancel_futures=True)


def is_short(texts: Sequence[str]) -> bool:
    """Whether ids of texts are made at once, without a thread."""
    return sum(map(len, texts)) <= INLINE_CHARS


def fewest_seconds(classifier: Classifier, texts: Sequence[str]) -> float:
    """Return what computing texts takes at least, before it is known how many tokens they have."""
    tokens = sum(map(len, texts)) // MOST_CHARS
    return classifier.runner.cost.seconds(tokens)


def cut(text: str, *, chars: int) -> Iterator[str]:
    """Yield pieces of about so many characters; cuts are at white space, where no word goes on."""
    start = 0
    while start < len(text):
        end = start + chars
        while end < len(text) and not text[end].isspace():
            end += 1
        yield text[start:end]
        start = end

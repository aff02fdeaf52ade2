"""Long texts become ids step by step, which are those of the whole text."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.answering.classifier import Classifier
from service.answering.tokenizing import (
    INLINE_CHARS,
    UNBROKEN_CHARS,
    TokenizerThread,
    cut,
    fewest_seconds,
    most_seconds,
)
from service.errors import ServiceError
from tests.service.recording import make_classifier


@pytest.fixture
def classifier(tmp_path: Path) -> Classifier:
    return make_classifier(tmp_path)


TEXTS = [
    "",
    " ",
    "a good film",
    "good " * 5_000,
    "\tx" * 9_000 + "y" * 9_000 + " \n z",
    "l’été" * 99,
    "good" * 9_000,
    "a'" * 15_000,
    "!?" * 9_000 + "good-bad" * 2_000 + " x",
    "l’été😀\u200dй\u0301" * 3_000,
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("chars", [1, 7, 16_384])
def test_pieces_have_the_tokens_of_the_text(classifier: Classifier, text: str, chars: int) -> None:
    pieces = list(cut(text, chars=chars, split_open=classifier.split_open))
    assert "".join(pieces) == text
    assert [id for piece in pieces for id in classifier.encode(piece)] == classifier.encode(text)
    assert all(0 < len(piece) <= chars + UNBROKEN_CHARS for piece in pieces)


@pytest.mark.medium
@pytest.mark.parametrize("seed", range(20))
def test_a_text_without_white_space_has_its_tokens(classifier: Classifier, seed: int) -> None:
    draw = random.Random(seed)
    odd = "ab'’-.!😀\u200d\u0301\ufe0f\u00ad\u200b🏽é한中ا"
    runs = (draw.choice(odd) * draw.choice([1, 1, 1, 2, 9, 65, 600]) for _ in range(400))
    text = "".join(runs)
    pieces = list(cut(text, chars=16, split_open=classifier.split_open))
    assert len(pieces) > 1
    assert "".join(pieces) == text
    assert [id for piece in pieces for id in classifier.encode(piece)] == classifier.encode(text)


@pytest.mark.medium
@pytest.mark.parametrize("count", [1, 3, INLINE_CHARS])
def test_texts_are_encoded_in_their_order(classifier: Classifier, count: int) -> None:
    texts = [("good " * (1 + index % 7)).strip() for index in range(count)]
    thread = TokenizerThread()
    found = asyncio.run(thread.encode(classifier, texts))
    thread.shutdown()
    assert [list(row) for row in found] == [classifier.encode(text) for text in texts]


@pytest.mark.medium
def test_requests_take_turns_and_end_with_who_waits(classifier: Classifier) -> None:
    thread, events = TokenizerThread(), list[str]()

    def watch(then: Callable[[], None]) -> Callable[[], None]:
        asyncio.get_running_loop().call_later(0.05, then)
        return lambda: events.append("no watch more")

    async def tokenize(name: str, text: str, **more: Any) -> None:
        try:
            await thread.encode(classifier, [text], **more)
        except ServiceError as error:
            name = f"{name}: {error.type}"
        events.append(name)

    async def run() -> None:
        endless = "é" * 20_000_000  # takes seconds
        late = time.monotonic() + 0.2
        long = [
            asyncio.create_task(tokenize("late", endless, deadline=late)),
            asyncio.create_task(tokenize("left", endless, watch=watch)),
        ]
        await asyncio.sleep(0.01)
        await tokenize("short", "good " * 2_000)
        await asyncio.gather(*long)

    asyncio.run(run())
    thread.shutdown()
    assert events == ["short", "no watch more", "left: client_gone", "late: deadline_passed"]


def test_an_estimate_is_never_too_high(classifier: Classifier) -> None:
    for text in TEXTS[2:4]:
        tokens = len(classifier.encode(text))
        seconds = classifier.runner.cost.seconds(tokens)
        assert fewest_seconds(classifier, [text]) <= seconds <= most_seconds(classifier, [text])

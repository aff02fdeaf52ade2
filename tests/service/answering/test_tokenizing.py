import asyncio
from pathlib import Path

import pytest

from service.answering.classifier import Classifier
from service.answering.tokenizing import INLINE_CHARS, TokenizerThread, cut, fewest_seconds
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
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("chars", [1, 7, 16_384])
def test_pieces_have_the_tokens_of_the_text(classifier: Classifier, text: str, chars: int) -> None:
    pieces = list(cut(text, chars=chars))
    assert "".join(pieces) == text
    assert [id for piece in pieces for id in classifier.encode(piece)] == classifier.encode(text)
    assert all(len(piece) <= chars or not piece[chars:].isspace() for piece in pieces)


@pytest.mark.medium
@pytest.mark.parametrize("count", [1, 3, INLINE_CHARS])
def test_texts_are_encoded_in_their_order(classifier: Classifier, count: int) -> None:
    texts = [("good " * (1 + index % 7)).strip() for index in range(count)]
    thread = TokenizerThread()
    found = asyncio.run(thread.encode(classifier, texts))
    thread.shutdown()
    assert [list(row) for row in found] == [classifier.encode(text) for text in texts]


def test_an_estimate_is_never_too_high(classifier: Classifier) -> None:
    for text in TEXTS[2:4]:
        tokens = len(classifier.encode(text))
        assert fewest_seconds(classifier, [text]) <= classifier.runner.cost.seconds(tokens)

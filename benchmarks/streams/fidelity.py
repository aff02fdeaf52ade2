"""Compares pieces, cut anywhere and sent to two services in turn, with the whole text."""

import itertools
import json
import random
from collections.abc import Iterable, Iterator

import httpx2
from rich.progress import track

from benchmarks.streams.service import connect, console, post, serving

CHARACTERS = ("👩🏽\u200d🚀", "🇩🇪", "👍🏽", "e\u0301", "❤\ufe0f")  # each of several code points
LONGEST_PIECE = 200  # UTF-16 units


def measure_fidelity(texts: list[str], *, model: str, engine: str) -> tuple[float, int]:
    """Return the largest difference of a probability, and in how many texts tokens differ."""
    chance = random.Random(0)
    worst, differing = 0.0, 0
    with serving(model, engine) as one, serving(model, engine) as other:
        services = connect(one), connect(other)
        for text in track(texts, model, console=console):
            asked = _insert(text, chance)
            whole = post(services[0], "/predict", text=asked)
            found = _send(services, _cut(asked, chance))
            off = (found["probabilities"][k] - p for k, p in whole["probabilities"].items())
            worst = max(worst, *map(abs, off))
            differing += found["tokens"] != whole["tokens"]
    return worst, differing


def _send(services: Iterable[httpx2.Client], pieces: Iterator[str]) -> dict:
    """Send pieces to services in turn; return the last prediction."""
    found = {"state": None}
    for http, piece in zip(itertools.cycle(services), pieces, strict=False):
        # Half a character is no UTF-8, so it is escaped, as browsers do.
        body = json.dumps({"text": piece, "state": found["state"]})
        answer = http.post("/stream", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 200, answer.text
        found = answer.json()
    return found["prediction"]


def _insert(text: str, chance: random.Random) -> str:
    """Return the text with some characters into which cuts may fall."""
    places = sorted(chance.sample(range(len(text)), min(5, len(text))), reverse=True)
    for place in places:
        text = text[:place] + chance.choice(CHARACTERS) + text[place:]
    return text


def _cut(text: str, chance: random.Random) -> Iterator[str]:
    units = text.encode("utf-16-le")
    start = 0
    while start < len(units):
        end = start + 2 * chance.randint(1, LONGEST_PIECE)
        yield units[start:end].decode("utf-16-le", "surrogatepass")
        start = end

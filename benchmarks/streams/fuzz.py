"""Sends states that were changed."""

import random
from collections import Counter

from rich.progress import track

from benchmarks.streams.service import connect, console, post, serving, words

LETTERS = "ABCXYZabcxyz0189-_+/= é"


def send_changed(count: int, *, model: str) -> Counter[int]:
    """Return how often each status answered a changed state."""
    chance, statuses = random.Random(0), Counter[int]()
    with serving(model, "auto") as server, connect(server) as http:
        states = [post(http, "/stream", text=words(n) + " fi")["state"] for n in (3, 40, 300)]
        for _ in track(range(count), "changed states", console=console):
            changed = chance.choice(states)
            while changed in states:
                changed = _change(changed, chance.choice(states), chance)
            statuses[http.post("/stream", json={"text": "lm", "state": changed}).status_code] += 1
    return statuses


def _change(state: str, other: str, chance: random.Random) -> str:
    """Return a state with a part changed, removed, inserted, or taken from another."""
    place, length = chance.randrange(len(state)), chance.randint(1, 40)
    letters = "".join(chance.choices(LETTERS, k=length))
    swapped = 4 * chance.randint(1, 12)
    return chance.choice(
        [
            state[:place] + letters + state[place + length :],
            state[:place] + chance.choice(LETTERS) + state[place + 1 :],
            state[:place] + state[place + length :],
            state[:place] + letters + state[place:],
            state[:place] + other[place:],
            other[:swapped] + state[swapped:],
            state[:place],
            letters,
        ]
    )

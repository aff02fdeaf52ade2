"""Chooses the texts on which the checkouts are compared."""

import random

import datasets

SHORT = 1_000  # characters; longer texts cost most of the time and prove little more
WHOLE_SHARE = 4  # one text in so many may have any length
ODD = [
    "",
    " ",
    "\n\t\r",
    "a",
    "A",
    "...",
    "<br /><br />",
    "😀",
    "😀😀 good 👩‍👩‍👧 film",
    "naïve café, déjà vu",
    "nai\u0308ve cafe\u0301",
    "ﬁne ﬀ",
    "İstanbul ıI",
    "straße STRASSE",
    "Ωμέγα",
    "映画はとても良かった",
    "הסרט היה טוב",
    "فيلم رائع",
    "zero\u200bwidth \ufeffmark",
    "\x00\x01 control",
    "line\u2028separator\u2029paragraph\u0085next",
    "don't can't it's o'clock 'quoted'",
    "3.14 1,000,000 10/10 50% $5",
    "well-known state-of-the-art --- dash – — ",
    "http://example.com/a?b=c#d user@example.com",
    "not good, not bad, not at all",
    "GREAT!!! AWFUL??? MEH…",
    "x" * 900,
    "very " * 200 + "good",
    "good. Bad. Good! Bad? And so on; it goes on",
    "\u0301 combining first",
    "\U0001f1e9\U0001f1ea flag",
    "\ufffd replacement",
]


def load_texts(dataset: str, count: int) -> list[str]:
    """Return texts of the test split, each once, drawn in the same way every time.

    One in four has any length. The others are short, because long texts take most of the time.

    Args:
        dataset: A folder or an id that `datasets` can load, with a column `text`.
        count: How many.
    """
    rows = datasets.load_dataset(dataset, split="test").shuffle(seed=0)
    texts = list(dict.fromkeys(rows["text"]))
    whole = texts[: count // WHOLE_SHARE]
    short = [text for text in texts[len(whole) :] if len(text) <= SHORT]
    chosen = [*whole, *short[: count - len(whole)]]
    if len(chosen) < count:
        raise ValueError(f"{dataset} has {len(chosen):,} fit texts, not {count:,}")
    return chosen


def cut(text: str, pieces: int, *, seed: int) -> list[str]:
    """Return a text in pieces, cut anywhere, even inside words; a piece may be empty."""
    draw = random.Random(seed)
    ends = sorted(draw.randint(0, len(text)) for _ in range(pieces - 1))
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]

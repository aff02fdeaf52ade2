"""Finds what earlier programs left in texts: HTML entities, wrong encodings, invisible characters.

A person sees none of them in a browser, so they are easy to overlook. They cost accuracy where the
texts for the service differ from those of the training.
"""

import re
from collections.abc import Callable, Sequence
from html.entities import html5

from training.data.words import NORMALIZATION
from training.inspection.findings import Leftovers
from training.inspection.table import Table

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|([A-Za-z][A-Za-z\d]{1,31}));")

# UTF-8 that was read as Latin-1 or Windows-1252: a letter from the first byte, then what the bytes
# 80 to BF are there. What people write too is left out: Spaß“, Úžas, MANHÃ”, allé…».
_FOLLOWING = "€‚ƒ„†‡ˆ‰‹˜¢£¤¥¦§¨ª¬\u00ad¯±²³µ¶¸¹º¼½¾"
_ANY = _FOLLOWING + "¡-¿ŠŒŽšœžŸ‘’“”•–—…˜™›"
_MISDECODED = re.compile(
    "[\u0080-\u009f\ufffd]"  # Windows-1252 that was read as Latin-1; bytes that were replaced
    "|[ÂÃ][¡-º¼-¿]|Ã[ŒŠŽœšžŸƒ]|Ã[‘’“”•–—][a-zß-ÿ]"  # é, £; ß, Ü; Ö within a word
    f"|[ÂÃÄÅÎÏÐÑØÙ][{_FOLLOWING}]"  # ć, α, я, ف
    "|â€|ï»¿|ðŸ"  # dashes and quotation marks, a byte order mark, emoji
    f"|[à-ï](?:[{_FOLLOWING}][{_ANY}]|[{_ANY}][{_FOLLOWING}])"  # Hindi, Thai, Chinese
)


def find_leftovers(table: Table) -> tuple[Leftovers, ...]:
    """Return the rows of each split with such characters."""
    return tuple(_find(split, table.texts[span]) for split, span in table.spans.items())


def _find(split: str, texts: Sequence[str]) -> Leftovers:
    return Leftovers(
        split,
        len(texts),
        entities=_where(_has_entity, texts),
        misdecoded=_where(_is_misdecoded, texts),
        invisible=_where(_has_invisible, texts),
    )


def _where(holds: Callable[[str], bool], texts: Sequence[str]) -> tuple[int, ...]:
    return tuple(row for row, text in enumerate(texts) if holds(text))


def _has_entity(text: str) -> bool:
    """Whether a text has an entity that HTML knows, such as "&amp;" or "&#39;"."""
    if "&" not in text:
        return False
    names = (match[1] for match in _ENTITY.finditer(text))
    return any(name is None or f"{name};" in html5 for name in names)


def _is_misdecoded(text: str) -> bool:
    return not text.isascii() and _MISDECODED.search(text) is not None


def _has_invisible(text: str) -> bool:
    return NORMALIZATION.drop(text) != text

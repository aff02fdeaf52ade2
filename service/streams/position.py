"""The position of a stream between two pieces."""

from dataclasses import dataclass

from service.engines.protocol import TextState
from service.texts import refuse_halves


@dataclass(frozen=True, eq=False)
class Position:
    """What has been read of a stream, and what of it is not read yet.

    Args:
        state: Of the network after the tokens read; None before the first.
        held: The end of the text, whose tokens depend on what comes.
        tokens: How many have been read.
        characters: How many there are before what is held.
    """

    state: TextState | None = None
    held: str = ""
    tokens: int = 0
    characters: int = 0


def join_pieces(held: str, piece: str, *, final: bool = False) -> tuple[str, str]:
    """Return the text of two pieces in a row, and half of a character where it ends in one.

    A client that counts in UTF-16 units, as JavaScript does, may cut a character into the halves of
    a surrogate pair. After the final piece nothing brings the other half.

    Raises:
        Invalid: There is a half whose other half is missing.
    """
    text = held + piece
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" and not final else ""
    text = text.removesuffix(half)
    refuse_halves(text, field="text", before=len(held))
    return text, half

"""Says what is wrong with a text that holds half a character."""

from models.tables.decoding import find_half, is_byte


def describe_half(text: str) -> str | None:
    """Return what is wrong, in words; None with a proper text."""
    place = find_half(text)
    if place is None:
        return None
    if is_byte(text[place]):
        return "holds bytes that are not UTF-8; name the --encoding of the file, such as cp1252"
    return f"holds half a character, \\u{ord(text[place]):x}"

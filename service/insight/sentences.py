"""Where sentences end."""

import re

# What ends a sentence, with what closes a quotation or bracket behind it; or an empty line. A run
# of stops is tried once and whole, or a long one would take time that grows with its square.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s|$)|[。！？]+[」』”’）]*|\n[^\S\n]*\n")

Spans = list[tuple[int, int]]


def find_sentences(text: str) -> Spans:
    """Return the first and past-the-end character of each sentence, white space around it left out.

    Together they hold every character of the text that is not white space.
    """
    spans: Spans = []
    start = 0
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        sentence = text[start:end]
        if sentence.strip():
            left = len(sentence) - len(sentence.lstrip())
            spans.append((start + left, start + len(sentence.rstrip())))
        start = end
    return spans

"""Finds the sentences of a text."""

import re

# The end of a sentence, with closing quotation marks or brackets behind it, or an empty line. A run
# of stops is matched only as a whole; otherwise a long run would take quadratic time.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s|$)|[。！？]+[」』”’）]*|\n[^\S\n]*\n")

Spans = list[tuple[int, int]]


def find_sentences(text: str) -> Spans:
    """Return the first and past-the-end character of each sentence, without space around it.

    Together the sentences hold every character of the text that is not white space.
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

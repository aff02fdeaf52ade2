"""Which JSON is parsed at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Malformed, ServiceError, TooLarge
from service.web.json_structure import DEEPEST, FEW_BYTES, check_structure

TEXTS = st.text(st.sampled_from('a"\\\\[]{},:\n\u20ac\ud83d'), max_size=30)
VALUES = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda children: st.lists(children, max_size=40) | st.dictionaries(TEXTS, children, max_size=9),
    max_leaves=60,
)


def measure(value: Any) -> tuple[int, int]:
    """Return how deep a value is, and how many commas and brackets it takes."""
    if not isinstance(value, list | dict):
        return 0, 0
    parts = [measure(each) for each in (value.values() if isinstance(value, dict) else value)]
    depth = 1 + max((depth for depth, _ in parts), default=0)
    return depth, 1 + max(0, len(parts) - 1) + sum(count for _, count in parts)


@pytest.mark.medium
@given(value=VALUES, levels=st.integers(1, DEEPEST + 2), ascii=st.booleans())
def test_what_stands_in_strings_does_not_count(value: Any, levels: int, ascii: bool) -> None:
    for _ in range(levels):
        value = [value]
    depth, count = measure(value)
    body = json.dumps(value, ensure_ascii=ascii) + " " * FEW_BYTES
    for most in (count - 1, count):
        error: type[ServiceError] | None = None
        try:
            check_structure(body, most_values=most)
        except ServiceError as raised:
            error = type(raised)
        if depth > DEEPEST:
            assert error in (Malformed, TooLarge)
        else:
            assert error == (TooLarge if most < count else None)


@pytest.mark.parametrize("body", ["", '"', '"\\', "[", "]" * 99, "[" * DEEPEST, '"[' * 9, "\\"])
def test_broken_json_is_left_to_the_parser(body: str) -> None:
    check_structure(body, most_values=99)


def test_depth_is_judged_by_brackets_outside_of_strings() -> None:
    check_structure(json.dumps({"text": "[" * 99}), most_values=9)
    with pytest.raises(Malformed, match="16 levels"):
        check_structure(json.dumps({"text": "a"})[:-1] + ", 1" + "[" * 99, most_values=9)

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from models.names import LONGEST_NAME, Name, Which, check_name, is_name, split_reference

GOOD = ["a", "7", "imdb-gru", "a.b_c-d", "0" * LONGEST_NAME]
BAD = ["", "A", "-a", ".a", "_a", "a b", "a/b", "ä", "٣", "a\n", "0" * (LONGEST_NAME + 1)]


def validates(name: str) -> bool:
    adapter: TypeAdapter[Any] = TypeAdapter(Name)
    try:
        adapter.validate_python(name)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", GOOD)
def test_what_is_a_name(name: str) -> None:
    assert is_name(name)
    assert validates(name)
    assert check_name(name) == name


@pytest.mark.parametrize("name", BAD)
def test_what_is_none(name: str) -> None:
    assert not is_name(name)
    assert not validates(name)
    with pytest.raises(ValueError, match="is no name: 1 to 64 of a-z, 0-9, .* a letter or digit"):
        check_name(name)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("toy", ("toy", None)),
        ("toy:3", ("toy", 3)),
        ("toy:stable", ("toy", "stable")),
        ("toy:a-b_3", ("toy", "a-b_3")),
        ("", ("", None)),
        ("A b", ("A b", None)),
    ],
)
def test_a_reference_names_a_model_and_perhaps_a_version(
    reference: str, expected: tuple[str, Which | None]
) -> None:
    assert split_reference(reference) == expected


@pytest.mark.parametrize(
    "reference",
    [
        "toy:",
        ":1",
        "toy:0",
        "toy:01",
        "toy:-1",
        "toy:X",
        "toy:1x",
        ":stable",
        "toy:1:2",
        "toy: 1",
        "toy:١",
    ],
)
def test_what_is_no_reference(reference: str) -> None:
    with pytest.raises(ValueError, match="is neither a model nor model:version"):
        split_reference(reference)

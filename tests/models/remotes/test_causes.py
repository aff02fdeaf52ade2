"""What went wrong is said in one line, without what must not be read by others."""

import pytest

from models.remotes.causes import describe_cause

SECRET = "s3cr3t/with+signs"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("", "ValueError"),
        ("\n first \nsecond", "ValueError: first"),
        (f"bad {SECRET}!", "ValueError: bad ***!"),
        ("at https://host/a?X-Amz-Signature=abc now", "ValueError: at https://host/a?… now"),
        ("at https://me:password@host/a", "ValueError: at https://***@host/a"),
        ("with hf_abcdefgh and Bearer xyz", "ValueError: with *** and ***"),
        ("\x1b[31mred", "ValueError: \\x1b[31mred"),
    ],
)
def test_secrets_and_signatures_are_left_out(
    told: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("MY_TOKEN", "a")  # too short to be one
    assert describe_cause(ValueError(told)) == expected


def test_a_long_line_is_cut() -> None:
    assert len(describe_cause(ValueError("x" * 10_000))) < 400

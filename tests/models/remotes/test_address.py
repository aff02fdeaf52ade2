"""An address says kind, place and version, and never holds a secret."""

import pytest

from models.remotes.address import Address, read_address

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hf://owner/reviews", Address("hf", "owner/reviews")),
        ("hf://owner/reviews@3", Address("hf", "owner/reviews", "3")),
        ("hf://owner/reviews@refs/pr/1", Address("hf", "owner/reviews", "refs/pr/1")),
        ("s3://bucket/models/reviews@stable", Address("s3", "bucket/models/reviews", "stable")),
        ("gs://bucket/reviews/", Address("gs", "bucket/reviews")),
        ("file:///a@b/reviews@7", Address("file", "/a@b/reviews", "7")),
        (f"s3://b/m@3#sha256={DIGEST}", Address("s3", "b/m", "3", DIGEST)),
    ],
)
def test_parts_are_read(text: str, expected: Address) -> None:
    assert read_address(text) == expected
    assert read_address(str(expected)).path == expected.path


def test_a_number_is_told_from_a_label() -> None:
    numbers = [read_address(f"s3://b/m{which}").number for which in ("", "@3", "@stable")]
    assert numbers == [None, 3, None]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "reviews",
        "http://host/reviews",
        "hf://owner",
        "hf://owner/reviews/more",
        "hf://owner/reviews@",
        "hf://owner/reviews@a..b",
        "hf://owner/reviews@-x",
        "s3://bucket",
        "s3://bucket/",
        "s3://bucket//reviews",
        "s3://bucket/../reviews",
        "s3://bucket/reviews@0",
        "s3://bucket/reviews@Stable",
        "s3://bucket/reviews@v/1",
        "gs://bucket/a\\b",
        "file://reviews",
        "file:///",
        "file:///a/../b",
        f"s3://b/m#sha256={DIGEST[:-1]}",
        f"s3://b/m#md5={DIGEST}",
        "s3://b/m\n",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"give |no name of a file|too long|empty parts"):
        read_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "s3://key:hunter22@bucket/reviews",
        "hf://user:hunter22@owner/reviews",
        "hf://hunter22@owner/reviews",
        "https://user:hunter22@host/reviews",
        "s3://bucket/reviews?X-Amz-Signature=hunter22",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="credentials") as refused:
        read_address(text)
    assert "hunter22" not in str(refused.value)

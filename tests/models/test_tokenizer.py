import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import FormatTooNew, VersionCorrupt
from models.normalization import NORMALIZATIONS
from models.tokenizer import PAD_TOKEN, UNKNOWN, UNKNOWN_TOKEN, Tokenizer

WORDS = ["the", "film", "don't", "good", "!", "#", "très", "👍🏽", "हिन्दी", "8"]
PIECES = ["un", "##forget", "##table", "##s", "a", "##a", "电", "##影", "##ing"]
TOKENS = [PAD_TOKEN, UNKNOWN_TOKEN, *WORDS, *PIECES]


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer(TOKENS)


def tokens_of(tokenizer: Tokenizer, text: str) -> list[str]:
    return [tokenizer.tokens[id] for id in tokenizer.encode(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\n\u3000", []),
        ("The FILM", ["the", "film"]),
        ("films", ["film", "##s"]),
        ("unforgettable!", ["un", "##forget", "##table", "!"]),
        ("Don’t", ["don't"]),
        ("the#film", ["the", "#", "film"]),
        ("tre\u0300s", ["très"]),  # a letter and its accent, in two characters
        ("ＴＨＥ", ["the"]),  # full width
        ("𝐓𝐇𝐄", ["the"]),  # bold
        ("👍🏽👍🏽", ["👍🏽", "👍🏽"]),  # each thumb keeps its skin tone
        ("हिन्दी", ["हिन्दी"]),  # vowel signs are part of the word
        ("电影", ["电", "##影"]),
        ("zzz", ["[UNK]"]),  # unknown characters in a row are one unknown token
        ("filmzz", ["film", "[UNK]"]),
        ("zzs", ["[UNK]", "##s"]),
        ("[UNK]#", ["[UNK]", "un", "[UNK]", "[UNK]", "#"]),  # no text spells a special token
        ("\x00", ["[UNK]"]),
        ("\ud800", ["[UNK]"]),
        ("_the_", ["[UNK]", "the", "[UNK]"]),
    ],
)
def test_encode(tokenizer: Tokenizer, text: str, expected: list[str]) -> None:
    assert tokens_of(tokenizer, text) == expected


def test_cut_piece_prefers_the_longest() -> None:
    tokenizer = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, "a", "ab", "abc", "##c", "##d"])
    assert tokens_of(tokenizer, "abcd") == ["abc", "##d"]


def test_encode_batch_encodes_each_text(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode_batch(["the", "", "film"]) == [[2], [], [3]]


BOTH = st.sampled_from(list(NORMALIZATIONS))
# Characters that join what stands around them, and what they stand between.
JOINING = st.text(
    alphabet="ab1éİ\u0301\u0e31ก'’´\u02bc_!👩🚀👍🏽\ufe0f\u20e3\u200d🇩🇪🇫"
    "\u00ad\u200b\ufeff\u200c \n",
    max_size=40,
)


@given(st.text() | JOINING, BOTH)
def test_offsets_belong_to_the_same_ids(text: str, normalization: int) -> None:
    tokenizer = Tokenizer(TOKENS, normalization=normalization)
    ids, offsets = tokenizer.encode_with_offsets(text)
    assert ids == tokenizer.encode(text)
    starts = [start for start, _ in offsets]
    assert starts == sorted(starts)
    assert all(0 <= start < end <= len(text) for start, end in offsets)


def test_offsets_point_at_the_piece(tokenizer: Tokenizer) -> None:
    text = "The films!"
    _, offsets = tokenizer.encode_with_offsets(text)
    assert [text[start:end] for start, end in offsets] == ["The", "film", "s", "!"]


def test_offsets_of_a_word_whose_length_changes_are_those_of_the_word() -> None:
    tokenizer = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, "f", "##i", "##n"])
    ids, offsets = tokenizer.encode_with_offsets("ﬁn")  # the ligature is one character, then two
    assert ids == [2, 3, 4]
    assert offsets == [(0, 2)] * 3


def test_offsets_where_two_changes_of_length_cancel_are_those_of_the_word() -> None:
    tokenizer = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, "fi", "##é", "##x"])
    ids, offsets = tokenizer.encode_with_offsets("ﬁe\u0301x")  # one becomes two, two become one
    assert ids == [2, 3, 4]
    assert offsets == [(0, 4)] * 3


def test_offsets_leave_out_what_is_not_read(tokenizer: Tokenizer) -> None:
    text = "\ufeffun\u00adforget\u200btable\u200d! film\u2060s"
    _, offsets = tokenizer.encode_with_offsets(text)
    parts = [text[start:end] for start, end in offsets]
    assert parts == ["un", "forget", "table", "!", "film", "s"]


def test_offsets_of_a_capital_with_a_dot_are_exact() -> None:
    tokenizer = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, "i", "##yi"])
    assert tokenizer.encode_with_offsets("İYİ") == ([2, 3], [(0, 1), (1, 3)])


def test_offsets_of_a_word_spelled_with_a_joiner_are_exact() -> None:
    tokenizer = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, "می", "##\u200c", "##خواهم"])
    ids, offsets = tokenizer.encode_with_offsets("می\u200cخواهم")
    assert (ids, offsets) == ([2, 3, 4], [(0, 2), (2, 3), (3, 8)])


def test_a_word_that_grows_is_cut() -> None:
    tokenizer = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, "ص", "##ص"])
    ids, offsets = tokenizer.encode_with_offsets("\ufdfa" * 64)  # 18 characters each, normalised
    assert len(ids) <= 257
    assert ids[-1] == UNKNOWN
    assert offsets[-1] == (0, 64)


@given(st.text(), st.text())
def test_texts_parted_by_space_are_read_apart(left: str, right: str) -> None:
    tokenizer = Tokenizer(TOKENS)
    together = tokenizer.encode(left + " " + right)
    assert together == tokenizer.encode(left) + tokenizer.encode(right)


def test_a_second_reading_is_the_same(tokenizer: Tokenizer) -> None:
    text = "unforgettable films don't zzz"
    assert tokenizer.encode(text) == tokenizer.encode(text)


def test_cache_is_bounded(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(tokenizer._words), "LIMIT", 10)
    before = tokenizer.encode("unforgettable")
    tokenizer.encode(" ".join(f"film{number}" for number in range(100)))
    assert len(tokenizer._words) <= 10
    assert tokenizer.encode("unforgettable") == before


def test_a_word_without_end_is_cut_and_never_cached(tokenizer: Tokenizer) -> None:
    words = tokenizer.words("a" * 100_000 + "'a" * 100_000 + "a\u0300" * 100_000)
    assert max(map(len, words)) <= 64 + 8 * (8 + 64)
    assert len(tokenizer.encode("a'" * 100_000)) > 100_000
    assert all(len(word) <= 64 for word in tokenizer._words)


def test_save_and_load(tokenizer: Tokenizer, tmp_path) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    assert loaded.tokens == tokenizer.tokens
    assert loaded.pattern == tokenizer.pattern
    assert loaded.digest == tokenizer.digest
    assert len(loaded) == len(TOKENS)


def test_a_file_of_normalisation_1_is_what_it_was(tmp_path) -> None:
    path = tmp_path / "tokenizer.json"
    Tokenizer(TOKENS[:3], normalization=1).save(path)
    pattern = json.dumps(NORMALIZATIONS[1].pattern, ensure_ascii=False)
    tokens = '[\n"[PAD]",\n"[UNK]",\n"the"\n]'
    before = f'{{\n"format_version": 1,\n"pattern": {pattern},\n"tokens": {tokens}\n}}'
    assert path.read_text(encoding="utf-8") == before
    assert Tokenizer.load(path).normalization == 1


def test_a_file_of_normalisation_2_is_too_new_for_readers_of_format_1(tmp_path) -> None:
    path = tmp_path / "tokenizer.json"
    Tokenizer(TOKENS).save(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert (content["format_version"], content["normalization"]) == (2, 2)
    assert Tokenizer.load(path).normalization == 2


@pytest.mark.parametrize("more", [{}, {"normalization": 3}, {"normalization": "2"}])
def test_a_file_of_format_2_names_its_normalisation(tmp_path, more: dict[str, object]) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"format_version": 2, "pattern": ".", "tokens": TOKENS} | more))
    with pytest.raises(VersionCorrupt, match="normalization"):
        Tokenizer.load(path)


def test_a_file_of_format_1_has_no_other_normalisation(tmp_path) -> None:
    path = tmp_path / "tokenizer.json"
    content = {"format_version": 1, "normalization": 2, "pattern": ".", "tokens": TOKENS}
    path.write_text(json.dumps(content))
    with pytest.raises(VersionCorrupt, match="format 1 has normalization 1"):
        Tokenizer.load(path)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_other_tokens_are_read_in_the_same_way(normalization: int) -> None:
    known = Tokenizer(TOKENS, normalization=normalization)
    other = known.with_tokens(TOKENS[:4])
    assert (other.normalization, other.pattern) == (normalization, known.pattern)
    assert len(other) == 4


@pytest.mark.parametrize("pattern", [r"\S+", "(a+)+b", "(", ""])
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_another_pattern_is_refused(tmp_path, normalization: int, pattern: str) -> None:
    """It might take time that grows exponentially with a text."""
    path = tmp_path / "tokenizer.json"
    Tokenizer(TOKENS, normalization=normalization).save(path)
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"pattern": pattern}))
    with pytest.raises(VersionCorrupt, match="pattern is not that of normalization"):
        Tokenizer.load(path)


def test_digest_depends_on_the_tokens() -> None:
    assert Tokenizer(TOKENS).digest != Tokenizer([*TOKENS, "more"]).digest


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["the"], "must start with"),
        ([UNKNOWN_TOKEN, PAD_TOKEN], "must start with"),
        ([PAD_TOKEN, UNKNOWN_TOKEN, "a", "a"], "distinct"),
    ],
)
def test_bad_vocabularies_are_refused(tokens: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tokenizer(tokens)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format_version": 1, "tokens": ["a"]}'])
def test_a_file_that_is_no_tokenizer_is_refused(content: str, tmp_path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(VersionCorrupt, match=r"tokenizer\.json: not a tokenizer file"):
        Tokenizer.load(path)


def test_a_newer_format_is_refused(tmp_path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"format_version": 99, "tokens": TOKENS, "pattern": "x"}))
    with pytest.raises(FormatTooNew, match="99 is newer than 2"):
        Tokenizer.load(path)


@pytest.mark.medium
@given(st.lists(JOINING | st.text(max_size=20), max_size=8), BOTH)
def test_pieces_come_to_the_same_as_the_whole(pieces: list[str], normalization: int) -> None:
    tokenizer = Tokenizer(TOKENS, normalization=normalization)
    ids: list[int] = []
    held = ""
    for piece in pieces:
        closed, held = tokenizer.split_open(held + piece)
        ids += tokenizer.encode(closed)
    assert ids + tokenizer.encode(held) == tokenizer.encode("".join(pieces))


@pytest.mark.parametrize(
    ("text", "closed", "held"),
    [
        ("", "", ""),
        ("the film ", "the film ", ""),
        ("the fil", "the ", "fil"),
        ("the don'", "the ", "don'"),
        ("the (film", "the ", "(film"),
        ("the ((film", "the (", "(film"),
        ("a" * 200, "a" * 128, "a" * 72),  # no word is longer than its pattern lets it be
        ("the fil\u00ad", "the ", "fil\u00ad"),
        ("the don'\u00ad", "the ", "don'\u00ad"),
        ("the 👩\u200d", "the ", "👩\u200d"),
        ("the \ufeff", "the \ufeff", ""),  # nothing begins with what is not read
        ("the ก" + "\u200b" * 9, "the ก" + "\u200b" * 9, ""),
    ],
)
def test_what_more_text_may_change_is_held_back(
    tokenizer: Tokenizer, text: str, closed: str, held: str
) -> None:
    assert tokenizer.split_open(text) == (closed, held)


@pytest.mark.parametrize("filler", ["\u00ad", "\u200b", "\u200d", "a\u2060", "'\ufeff", "👩\u200d"])
def test_little_is_held_back_however_long_a_word_goes_on(tokenizer: Tokenizer, filler: str) -> None:
    held, most = "film", 0
    for _ in range(5_000):
        _, held = tokenizer.split_open(held + filler)
        most = max(most, len(held))
    assert most < 2_000

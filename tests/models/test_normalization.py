"""Words are normalised as the version was trained, and the latest rule reads what people see."""

import hashlib
import itertools
import json
import random
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.normalization import LATEST, NORMALIZATIONS, Normalization
from models.tokenizer import PAD_TOKEN, UNKNOWN_TOKEN, Tokenizer

FIRST, SECOND = NORMALIZATIONS[1], NORMALIZATIONS[2]
INVISIBLE = {
    "soft hyphen": "\u00ad",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "zero-width space": "\u200b",
    "zero-width joiner": "\u200d",
    "zero-width non-joiner": "\u200c",
    "left-to-right mark": "\u200e",
    "Arabic letter mark": "\u061c",
    "embedding": "\u202a",
    "isolate": "\u2066",
    "grapheme joiner": "\u034f",
    "invisible times": "\u2062",
    "Mongolian vowel separator": "\u180e",
    "emoji style": "\ufe0f",
    "text style": "\ufe0e",
    "Han variant": "\U000e0100",
    "tag": "\U000e0067",
}
APOSTROPHES = {
    "right quotation mark": "’",
    "left quotation mark": "‘",
    "reversed quotation mark": "‛",
    "full width": "＇",
    "acute accent": "´",
    "modifier letter": "\u02bc",
    "okina": "\u02bb",
}


def words(text: str, *, normalization: int = 2) -> list[str]:
    return Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN], normalization=normalization).words(text)


def test_the_numbers_are_their_places() -> None:
    assert {number: rule.number for number, rule in NORMALIZATIONS.items()} == {1: 1, 2: 2}
    assert LATEST in NORMALIZATIONS


@pytest.mark.parametrize(
    ("number", "digest"),
    [
        (1, "13de3822231b40d58df0bdbc38028708ee726ea52ef9b08321ad0cd9fd4e64e2"),
        (2, "a9e9abc306d1b7add78900cd89cdce22c1fe215aa20d03a57818f98034f39566"),
    ],
)
def test_a_normalisation_never_changes(number: int, digest: str) -> None:
    """Versions are published with it. Another digest needs another number."""
    draw = random.Random(0)
    odd = "".join([*INVISIBLE.values(), *APOSTROPHES.values(), "aIıİß\u0307 ก映مन्👩❤1'_!"])
    texts = ["".join(draw.choices(odd, k=draw.randint(0, 40))) for _ in range(1_000)]
    found = [NORMALIZATIONS[number].pattern, [words(text, normalization=number) for text in texts]]
    assert hashlib.sha256(json.dumps(found).encode()).hexdigest() == digest


@pytest.mark.parametrize("rule", NORMALIZATIONS.values(), ids=lambda rule: str(rule.number))
def test_patterns_have_no_groups(rule) -> None:
    assert re.compile(rule.pattern).groups == re.compile(rule.ascii_pattern).groups == 0


PARTS = ["a", "Z9", "x" * 63, "y" * 64, "'", "''", "_", " ", "\t", "\x00", "\x1c", "\x7f", "-", "!"]


@pytest.mark.parametrize("rule", NORMALIZATIONS.values(), ids=lambda rule: str(rule.number))
class TestAscii:
    """Text of ASCII alone has a pattern of its own, which finds the same."""

    def test_each_pair_of_characters(self, rule: Normalization) -> None:
        for first, second in itertools.product(map(chr, range(128)), repeat=2):
            for text in (f"a{first}{second}b", f" {first}{second} "):
                assert rule.find_words(text) == rule.expression.findall(text), text

    @given(st.lists(st.sampled_from(PARTS), max_size=40).map("".join))
    def test_long_words_and_many_apostrophes(self, rule: Normalization, text: str) -> None:
        assert rule.find_words(text) == rule.expression.findall(text)

    def test_one_other_character_is_enough_for_the_whole_pattern(self, rule: Normalization) -> None:
        assert rule.find_words("naïve film") == ["naïve", "film"]


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_read_as_before(text: str) -> None:
    assert words(text, normalization=1) == words(text, normalization=2)


class TestInvisible:
    @pytest.mark.parametrize("character", INVISIBLE.values(), ids=INVISIBLE)
    def test_they_change_nothing_anywhere_in_a_text(self, character: str) -> None:
        text = "Unforgettable films don't, naïve 3 мир!"
        for place in range(len(text) + 1):
            assert words(text[:place] + character + text[place:]) == words(text), place

    @pytest.mark.parametrize("character", INVISIBLE.values(), ids=INVISIBLE)
    def test_they_may_stand_behind_every_letter(self, character: str) -> None:
        text = "an unforgettable film isn't it"
        assert words(character.join(text)) == words(text)

    @pytest.mark.parametrize("character", INVISIBLE.values(), ids=INVISIBLE)
    def test_alone_they_are_no_word(self, character: str) -> None:
        assert words(character) == words(character * 3 + " " + character) == []

    def test_several_kinds_together(self) -> None:
        assert words("un\u00ad\u200b\u2060forget\u200e\u200dtable") == ["unforgettable"]

    def test_before_they_were_tokens(self) -> None:
        assert words("un\u00adforget", normalization=1) == ["un", "\u00ad", "forget"]

    def test_a_run_of_very_many_parts_words(self) -> None:
        assert words("un" + "\u200b" * 1_000 + "forget") == ["un", "forget"]


class TestMeaningful:
    """Characters that cannot be seen either, but that people write on purpose."""

    @pytest.mark.parametrize(
        "text",
        [
            "می\u200cخواهم",  # Persian
            "ന്\u200d",  # Malayalam, a letter of its own before Unicode 5.1
            "क्\u200cष",  # Hindi, conjunct or not
            "👩\u200d🚀",
            "👨\u200d👩\u200d👧",
            "❤\ufe0f\u200d🔥",
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # England
        ],
    )
    def test_it_is_part_of_the_word(self, text: str) -> None:
        assert words(f"a {text}, b") == ["a", unicodedata.normalize("NFKC", text), ",", "b"]

    @pytest.mark.parametrize(
        "text", ["ภาษา\u200bไทย", "ភាសា\u200bខ្មែរ", "မြန်\u200bမာ", "ພາສາ\u200bລາວ"]
    )
    def test_a_zero_width_space_parts_words_of_scripts_without_spaces(self, text: str) -> None:
        assert words(text) == text.split("\u200b")

    def test_also_beside_other_scripts(self) -> None:
        assert words("ABC\u200bภาษา\u200bDEF") == ["abc", "ภาษา", "def"]

    def test_other_invisible_characters_do_not(self) -> None:
        assert words("ภาษา\u2060ไทย") == ["ภาษาไทย"]

    def test_a_digit_in_a_key_keeps_the_key(self) -> None:
        assert words("1\ufe0f\u20e3 1") == ["1\u20e3", "1"]


class TestApostrophes:
    @pytest.mark.parametrize("apostrophe", APOSTROPHES.values(), ids=APOSTROPHES)
    @pytest.mark.parametrize(
        "text", ["don't", "l'été", "об'єкт", "rock'n'roll", "'tis", "the dogs' tails", "'quoted'"]
    )
    def test_all_are_one(self, apostrophe: str, text: str) -> None:
        assert words(text.replace("'", apostrophe)) == words(text)

    def test_one_that_composing_makes(self) -> None:
        assert words("ŉ") == ["'n"]

    @pytest.mark.parametrize("text", ["5′", "don`t", "5″"])
    def test_primes_and_backticks_are_none(self, text: str) -> None:
        assert words(text) == words(text, normalization=1)


class TestCase:
    @pytest.mark.parametrize(
        ("small", "capital"),
        [
            ("çok iyi", "ÇOK İYİ"),  # Turkish
            ("kırmızı ısı", "KIRMIZI ISI"),
            ("işçi ilişki", "İŞÇİ İLİŞKİ"),
            ("azərbaycan dili", "AZƏRBAYCAN DİLİ"),
            ("straße großartig", "STRASSE GROSSARTIG"),  # German
            ("straße", "STRAẞE"),
            ("οδος σίσυφος", "ΟΔΟΣ ΣΊΣΥΦΟΣ"),  # Greek
            ("в чём дело", "В ЧЁМ ДЕЛО"),
            ("ﬁlm", "FILM"),
            ("it is i", "IT IS I"),
        ],
    )
    def test_capitals_are_the_same_words(self, small: str, capital: str) -> None:
        assert words(small) == words(capital)

    @pytest.mark.parametrize("written", ["İyi", "I\u0307yi", "i\u0307yi", "iyi", "ıyi"])
    def test_every_turkish_i_is_one(self, written: str) -> None:
        assert words(written) == ["iyi"]

    def test_other_dots_stay(self) -> None:
        assert words("ż e\u0307") == ["ż", "ė"]

    @given(st.characters(exclude_categories=["Cs", "Cn", "Co"]))
    def test_of_every_letter(self, letter: str) -> None:
        found = SECOND.normalize(letter)
        assert SECOND.normalize(letter.upper()) == SECOND.normalize(letter.lower()) == found


@given(st.text())
def test_a_word_in_normal_form_stays(text: str) -> None:
    normal = SECOND.normalize(text)
    assert SECOND.fold(normal) == normal


@given(st.text(st.sampled_from("aI ıİi\u0307\u0301\u00ad\u200b\u200c\u200d\ufe0f❤ก映م'’ʼ!")))
def test_odd_words_in_normal_form_stay(text: str) -> None:
    for word in words(text):
        assert SECOND.normalize(word) == word


def test_the_first_is_what_it_was() -> None:
    assert FIRST.normalize("İSTANBUL") == "i\u0307stanbul"
    assert FIRST.normalize("Don’t") == "don't"
    assert FIRST.normalize("ＡＢＣ\u00ad") == "abc\u00ad"

"""The shipped models read odd texts as they did before normalisations had numbers.

The ids were recorded with the tokenizer of that time.
"""

import hashlib
import json
import random
from pathlib import Path

import pytest

from models.metadata import digest_file
from models.tokenizer import Tokenizer

STORE = Path("models/store")
TEXTS = [
    "unforgettable un\u00adforgettable unfor\u200bgettable unforget\u2060table \ufeffunforgettable",
    "\u0130STANBUL \u0131s\u0131 IS\u0130 i\u0307yi",
    "don't don\u2019t don\u02bct don\u2018t don\uff07t don\u00b4t don`t \u02bctis",
    "\u200fright\u200e to \u202aleft\u202c \u2066isolated\u2069 m\u034fark",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0d28\u0d4d\u200d Auf\u200clage",
    (
        "\U0001f469\u200d\U0001f680\U0001f44d\U0001f3fd\u2764\ufe0f\U0001f1e9\U0001f1ea 1"
        "\ufe0f\u20e3 \U0001f3f4\U000e0067\U000e0062\U000e007f"
    ),
    (
        "\u0e20\u0e32\u0e29\u0e32\u200b\u0e44\u0e17\u0e22 \u6620\u753b\u306f\u200b\u7d20"
        "\u6674\u3089\u3057\u3044 \uff76\uff80\uff76\uff85"
    ),
    (
        "Stra\u00dfe STRASSE \u1e9e \u039f\u0394\u039f\u03a3 \u03bf\u03b4\u03cc\u03c2 "
        "\u0149 \ufb01lm \U0001d40d"
    ),
    "na\u00efve nai\u0308ve cafe\u0301 \u0301alone g\u0332\u0332ood",
    "&amp; it&#39;s caf\u00c3\u00a9 \u0085 \u0096 <br />a\x00b _good_",
    "\u00ad\u200b\ufeff\u2060",
    "\u3164\u115f film\ufe0e \U000e0100 \u180e",
]
IDS = {
    "imdb-gru": [
        [
            3344,
            2374,
            15486,
            2440,
            15438,
            14523,
            1,
            86,
            14720,
            13862,
            15438,
            14531,
            14029,
            1,
            2482,
            1,
            3344,
        ],
        [
            12,
            14912,
            14707,
            13729,
            13852,
            14761,
            15526,
            14696,
            14905,
            9,
            14105,
            14912,
            12,
            14912,
            14853,
            14105,
        ],
        [
            99,
            99,
            1554,
            1,
            14718,
            1554,
            15546,
            809,
            1554,
            48,
            809,
            1554,
            2626,
            809,
            1554,
            760,
            809,
            1,
            14718,
            14275,
        ],
        [1, 218, 1, 8, 1, 331, 1, 1, 3924, 1, 1792, 1, 13777],
        [1, 1, 6, 14738, 14052, 1, 14371, 14069],
        [1, 1, 1, 1, 325, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1, 1],
        [15379, 14871, 13911, 15379, 14706, 13911, 15492, 1, 1, 1, 14431, 23, 2592],
        [12706, 12706, 9378, 15532, 633, 1417, 1, 14508],
        [
            186,
            14944,
            121,
            11,
            186,
            2011,
            11196,
            121,
            514,
            10295,
            14052,
            14875,
            15485,
            507,
            1,
            14980,
            115,
            3306,
            6,
            1,
            499,
            1245,
            58,
            1245,
        ],
        [15486, 1, 1, 1],
        [1, 23, 1, 1, 1],
    ],
    "imdb-lstm": [
        [
            3236,
            2680,
            11652,
            2485,
            11618,
            10908,
            1,
            86,
            11068,
            10402,
            11618,
            10915,
            10530,
            1,
            2678,
            1,
            3236,
        ],
        [12, 1, 11062, 10294, 10394, 11100, 11689, 11052, 11220, 9, 10585, 1, 12, 1, 11177, 10585],
        [
            99,
            99,
            1486,
            1,
            11067,
            1486,
            11694,
            761,
            1486,
            46,
            761,
            1486,
            2581,
            761,
            1486,
            638,
            761,
            1,
            11067,
            10722,
        ],
        [1, 220, 1, 8, 1, 327, 1, 1, 4574, 1, 1853, 1, 10332],
        [1, 1, 6, 11082, 10546, 1, 10792, 10244],
        [1, 1, 1, 1, 311, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1, 1],
        [11574, 11190, 10441, 11574, 11061, 10441, 11658, 1, 1, 1, 10837, 23, 2335],
        [11469, 11206, 11151, 11469, 11206, 11151, 10110, 11692, 621, 1356, 1, 10895],
        [
            189,
            255,
            10973,
            118,
            11,
            189,
            1833,
            362,
            10215,
            118,
            495,
            1181,
            10241,
            11194,
            1,
            466,
            1,
            11265,
            115,
            3072,
            6,
            1,
            507,
            1180,
            58,
            1180,
        ],
        [11652, 1, 1, 1],
        [1, 23, 1, 1, 1],
    ],
}
# Of made-up texts: the digest of ids, offsets and what a stream holds back.
ALPHABET = (
    "abIis \u0130\u0131\u00df\u00e9\u0301\u0307'\u2019\u2018\u02bb\u02bc\uff07\u00b4"
    "\u00ad\u200b\u200c\u200d\u200e\u2060\ufeff\ufe0f\u20e3\u034f\u061c\u0645\u0928"
    "\u094d\u0e01\u0e31\u6620\u2764\U0001f469\U0001f3fd\U0001f1e9\U0001f3f4\U000e0067"
    "!_.1\n"
)
DIGESTS = {
    "imdb-gru": "610ec728492ac9676b8dd840cc352f04887a8f9ba962633b855bf196561982ff",
    "imdb-lstm": "e3d53f1cac267aecb720f164a3bc1b3a46d3c328c0daf0e55e94cb8753223f2b",
}


@pytest.fixture(params=IDS)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(model: str) -> Path:
    return STORE / model / "1" / "assets.extra" / "tokenizer.json"


def test_ids(model: str, path: Path) -> None:
    tokenizer = Tokenizer.load(path)
    assert tokenizer.normalization == 1
    assert [tokenizer.encode(text) for text in TEXTS] == IDS[model]


@pytest.mark.medium
def test_offsets_and_what_a_stream_holds_back(model: str, path: Path) -> None:
    tokenizer = Tokenizer.load(path)
    draw = random.Random(0)
    texts = ["".join(draw.choices(ALPHABET, k=draw.randint(0, 60))) for _ in range(1_000)]
    found = [
        [tokenizer.encode(text), tokenizer.encode_with_offsets(text)[1], tokenizer.split_open(text)]
        for text in texts
    ]
    assert hashlib.sha256(json.dumps(found).encode()).hexdigest() == DIGESTS[model]


def test_the_file_would_be_written_again_as_it_is(path: Path) -> None:
    assert Tokenizer.load(path).digest == digest_file(path)

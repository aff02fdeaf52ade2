"""Every setting of a training, declared once.

A field of the four classes below holds the type, the default, the unit, the help and the range of
a setting. The options of the command line, the record in the metadata and the identity of
checkpoints are derived from the fields. Defaults that depend on the data are in `defaults.py`.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Annotated, Any, Literal, Self, get_args, get_type_hints

from models.cells import CellName as Cell
from models.metadata import Architecture
from models.metadata import Setting as Value
from models.names import check_name
from models.tables.opening import check_separator
from training.reading import Reading

ClassWeight = Literal["none", "sqrt", "balanced"]
LARGEST_SEED = 2**32 - 1
HASHED = "the hashes of the rows stand for the place that the rows come from"


def check_given(value: str) -> None:
    """Raise ValueError for an empty text."""
    if not value:
        raise ValueError("it is empty; leave the option out, or name a character")


@dataclass(frozen=True)
class About:
    """What a field declares of its setting, beside the type and the default.

    Args:
        help: What the setting is, without its unit.
        unit: What a number counts or measures; "" where the setting is no number.
        least: The smallest value; None for no limit.
        most: The largest value; None for no limit.
        check: Raises ValueError for a value that is wrong in another way.
        option: Name of the option; "" for the setting's own name.
        is_option: Whether the command line has an option for the setting.
        left_out: Why the setting does not decide the result; "" where it does. Record and
            identity omit such a setting.
    """

    help: str
    _: KW_ONLY
    unit: str = ""
    least: float | None = None
    most: float | None = None
    check: Callable[[Any], object] | None = None
    option: str = ""
    is_option: bool = True
    left_out: str = ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a field declares that holds settings of its own.

    Args:
        prefix: Prefix of their names in the record.
        needs: Without this setting they decide nothing; "" where they always decide.
    """

    prefix: str = ""
    needs: str = ""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A setting and its place.

    Args:
        name: Its name in the record, which no other setting has.
        kind: Its type.
        about: What its field says.
        field: Its field.
        holder: The field of `TrainSettings` that holds it; "" where that class itself does.
        part: The declaration of that field.
    """

    name: str
    kind: Any
    about: About
    field: dataclasses.Field
    holder: str
    part: Part

    @property
    def option(self) -> str:
        """Its option on the command line."""
        return f"--{(self.about.option or self.name).replace('_', '-')}"

    def decides(self, settings: "TrainSettings") -> bool:
        """Whether it decides the result of a training with these settings."""
        needed = self.part.needs
        return not self.about.left_out and (not needed or bool(getattr(settings, needed)))

    def value(self, settings: "TrainSettings") -> Value:
        """Return its value in these settings."""
        holder = getattr(settings, self.holder) if self.holder else settings
        return getattr(holder, self.field.name)


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """The shape of a network, and the noise in its training."""

    cell: Annotated[Cell, About("Recurrent cell")]
    layers: Annotated[
        int, About("Depth of the network", unit="recurrent layers", least=1, most=8)
    ] = 1
    units: Annotated[int, About("Width of each layer's state", unit="numbers", least=1)] = 128
    embedding: Annotated[int, About("Width of a token's vector", unit="numbers", least=1)] = 128
    dropout: Annotated[
        float,
        About(
            "Channels of the token vectors that a text loses in training",
            unit="share",
            least=0,
            most=0.9,
        ),
    ] = 0.3
    # The unknown token learns in this way to stand for any word.
    word_dropout: Annotated[
        float,
        About(
            "Tokens that the unknown token replaces in training", unit="share", least=0, most=0.9
        ),
    ] = 0.1


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How a network is fitted.

    The rate rises during a short warm-up and then falls along a cosine. The weight decay is that
    of AdamW (Loshchilov and Hutter, ICLR 2019).
    """

    epochs: Annotated[
        int | None,
        About("How often to go through the training rows at most", unit="passes", least=1),
    ] = None
    patience: Annotated[
        int, About("How long to continue without a better score", unit="epochs", least=1)
    ] = 3
    batch: Annotated[int | None, About("Size of a step", unit="texts", least=1)] = None
    learning_rate: Annotated[
        float,
        About("Highest learning rate", unit="change of a weight per step", least=1e-6, most=1),
    ] = 2e-3
    weight_decay: Annotated[
        float,
        About("Weight decay", unit="share of a weight, times the rate", is_option=False),
    ] = 1e-2
    adversarial: Annotated[
        float,
        About(
            "How far texts are moved against their label; any but 0 doubles the time",
            unit="lengths of a token's vector",
            least=0,
            most=10,
        ),
    ] = 0.3


@dataclass(frozen=True, kw_only=True)
class PretrainSettings:
    """How a language model is fitted to texts without labels; for the rate see `FitSettings`."""

    epochs: Annotated[
        int,
        About(
            "How often to read the texts of --unlabeled to learn their language",
            unit="passes",
            least=1,
            option="pretraining",
        ),
    ] = 3
    batch: Annotated[int, About("Size of a step", unit="texts", is_option=False)] = 64
    slice: Annotated[
        int, About("What a step reads of each text", unit="tokens", is_option=False)
    ] = 80
    negatives: Annotated[
        int,
        About("Sample that each prediction is compared with", unit="tokens", is_option=False),
    ] = 1_000
    learning_rate: Annotated[
        float,
        About("Highest learning rate", unit="change of a weight per step", is_option=False),
    ] = 3e-3
    vocabulary: Annotated[
        int, About("Largest vocabulary of the same texts", unit="tokens", is_option=False)
    ] = 16_000
    max_tokens: Annotated[
        int, About("Length at which a text is cut", unit="tokens", is_option=False)
    ] = 1_500
    # Not the seed of the training: trainings with different seeds share one encoder.
    seed: Annotated[
        int,
        About(
            "Decides weights, order, dropout and samples", unit="a whole number", is_option=False
        ),
    ] = 1


@dataclass(frozen=True, kw_only=True)
class TeachSettings:
    """How the network is taught an encoder's vectors of texts; for the rate see `FitSettings`."""

    epochs: Annotated[
        int,
        About(
            "How often to read the texts that --encoder teaches with",
            unit="passes",
            least=1,
            option="teaching",
        ),
    ] = 6
    batch: Annotated[int, About("Size of a step", unit="texts", is_option=False)] = 64
    learning_rate: Annotated[
        float,
        About("Highest learning rate", unit="change of a weight per step", is_option=False),
    ] = 2e-3
    max_tokens: Annotated[
        int, About("Length at which a text is cut", unit="tokens", is_option=False)
    ] = 200
    # Not the seed of the training: trainings with different seeds share one encoder.
    seed: Annotated[
        int,
        About("Decides weights, order and dropout", unit="a whole number", is_option=False),
    ] = 1


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """One training: its name and all settings that decide its result."""

    dataset: Annotated[
        str,
        About(
            "CSV, TSV, JSON, JSONL, Parquet or fastText file, folder, or Hub id", left_out=HASHED
        ),
    ]
    name: Annotated[
        str,
        About(
            "Model to publish a new version of",
            check=check_name,
            left_out="it names the result and changes nothing in it",
        ),
    ]
    config: Annotated[
        str | None,
        About("Configuration of a Hub dataset", option="dataset_config", left_out=HASHED),
    ] = None
    revision: Annotated[
        str | None,
        About("Branch, tag or commit of a Hub dataset; the newest if absent", left_out=HASHED),
    ] = None
    text_column: Annotated[
        str | None, About("Column of the text; found if absent", left_out=HASHED)
    ] = None
    label_column: Annotated[
        str | None, About("Column of the label; found if absent", left_out=HASHED)
    ] = None
    label_columns: Annotated[
        str | None,
        About("Columns of 0 and 1, one for each label, between commas", left_out=HASHED),
    ] = None
    split_labels: Annotated[
        str | None,
        About(
            "Character between several labels that stand in one text",
            check=check_given,
            left_out=HASHED,
        ),
    ] = None
    clean_labels: Annotated[
        bool,
        About(
            "Whether labels that differ only in case, spaces and invisible characters are one",
            left_out=HASHED,
        ),
    ] = False
    skip_unusable: Annotated[
        bool,
        About("Whether rows that cannot be used are left out and counted", left_out=HASHED),
    ] = False
    encoding: Annotated[
        str | None,
        About("Encoding of files of text; by their mark, or UTF-8, if absent", left_out=HASHED),
    ] = None
    separator: Annotated[
        str | None,
        About(
            "Character between the fields of a row, or tab; found if absent",
            check=check_separator,
            left_out=HASHED,
        ),
    ] = None
    vocabulary: Annotated[
        int, About("Largest vocabulary to learn from the data", unit="tokens", least=100)
    ] = 12_000
    max_tokens: Annotated[
        int,
        About(
            "Length at which training texts are cut, but no others",
            unit="tokens",
            least=1,
        ),
    ] = 1_000
    ngrams: Annotated[bool, About("Whether to put a table of n-grams beside the network")] = True
    # Without effect where vectors come from texts without labels or from a version.
    subwords: Annotated[
        bool | None, About("Whether words that are spelled alike share what they learn")
    ] = None
    class_weight: Annotated[
        ClassWeight,
        About(
            "How rows of rare labels count in the loss: like all others (none), by the inverse of "
            "the label's frequency (balanced), or by the root of that (sqrt)"
        ),
    ] = "none"
    start_from: Annotated[
        str | None,
        About(
            "Network that is trained further: NAME, NAME:VERSION, or a folder that teach wrote",
            option="from",
        ),
    ] = None
    pretrained: Annotated[
        bool | None,
        About("Whether the network starts from the one that is shipped, which knows English"),
    ] = None
    vectors: Annotated[
        str | None,
        About(
            "Word vectors to start from: a text file, or the folder or Hub id of an embedding model"
        ),
    ] = None
    encoder: Annotated[
        str | None,
        About(
            "Sentence encoder that teaches the network its vectors of the texts, those of "
            "--unlabeled too: a folder or a Hub id"
        ),
    ] = None
    teacher: Annotated[
        str | None,
        About(
            "Who labels further texts to learn from: a dataset of texts with probabilities or "
            "labels; or NAME or NAME:VERSION of the store, which labels those of --unlabeled"
        ),
    ] = None
    teacher_command: Annotated[
        str | None,
        About(
            "Command that labels the texts of --unlabeled: lines of JSON with a text in, with "
            "probabilities out",
            left_out="its answers stand for it",
        ),
    ] = None
    teacher_curve: Annotated[
        bool,
        About(
            "Whether to train with no, 25 % and 50 % of the teacher's texts too, to compare",
            left_out="it measures and changes nothing in the result",
        ),
    ] = True
    unlabeled: Annotated[
        str | None,
        About(
            "More texts of the same kind, to learn language and vocabulary from; a dataset, or "
            "DATASET:SPLIT"
        ),
    ] = None
    self_training: Annotated[
        int,
        About(
            "How often to label the texts of --unlabeled and learn from them too",
            unit="rounds",
            least=0,
            most=3,
        ),
    ] = 0
    share: Annotated[
        float,
        About("Part of the labelled rows that the network sees", unit="share", is_option=False),
    ] = 1.0
    seed: Annotated[
        int,
        About(
            "Decides all that is random: split, weights, order and dropout",
            unit="a whole number",
            least=0,
            most=LARGEST_SEED,
        ),
    ] = 1
    network: Annotated[NetworkSettings, Part()]
    fit: Annotated[FitSettings, Part()] = field(default_factory=FitSettings)
    pretrain: Annotated[PretrainSettings, Part(prefix="pretrain_", needs="unlabeled")] = field(
        default_factory=PretrainSettings
    )
    teach: Annotated[TeachSettings, Part(prefix="teach_", needs="encoder")] = field(
        default_factory=TeachSettings
    )

    @property
    def reading(self) -> Reading:
        """How its dataset is to be read."""
        return Reading(**{each.name: getattr(self, each.name) for each in fields(Reading)})

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return settings with these values, by their names in the record; else the defaults."""
        own: dict[str, Any] = {}
        parts: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            declared = SETTINGS[name]
            place = parts.setdefault(declared.holder, {}) if declared.holder else own
            place[declared.field.name] = value
        kinds = get_type_hints(cls)
        return cls(**own, **{holder: kinds[holder](**each) for holder, each in parts.items()})

    def record(self) -> dict[str, Value]:
        """Return the settings that decide the result, by name.

        The record goes into the metadata. A checkpoint is of the same training only if its record
        is the same.
        """
        return {
            name: declared.value(self)
            for name, declared in SETTINGS.items()
            if declared.decides(self)
        }


def _declare(
    holder_kind: type, *, holder: str = "", part: Part | None = None
) -> Iterator[Declared]:
    """Return the settings of a class and of its parts, in the order of the fields."""
    part = part or Part()
    hints = get_type_hints(holder_kind, include_extras=True)
    for each in fields(holder_kind):
        kind, said = get_args(hints[each.name])
        if isinstance(said, Part):
            yield from _declare(kind, holder=each.name, part=said)
        else:
            name = part.prefix + each.name
            yield Declared(name=name, kind=kind, about=said, field=each, holder=holder, part=part)


SHAPE = tuple(
    each.name for each in fields(NetworkSettings) if each.name in Architecture.model_fields
)
"""The settings of a network that its architecture records; the others are noise in training."""

SETTINGS: dict[str, Declared] = {each.name: each for each in _declare(TrainSettings)}
"""All settings of a training, by their names in the record."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How long a training may take, in minutes from `started`, on the monotonic clock."""

    minutes: float
    started: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

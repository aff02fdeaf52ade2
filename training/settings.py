"""Everything that decides what comes out of a training, apart from the data and the libraries."""

import time
from dataclasses import asdict, dataclass, field
from typing import Literal

from models.metadata import Setting

Cell = Literal["lstm", "gru", "rnn"]
ClassWeight = Literal["none", "sqrt", "balanced"]


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Shape of a network, and the noise it is trained with.

    Args:
        cell: Recurrent cell.
        layers: Recurrent layers, one above the other.
        units: Width of each layer's state.
        embedding: Width of a token's vector.
        dropout: Share of the embedding's channels dropped in a text, at all of its tokens.
        word_dropout: Share of the tokens replaced by the unknown token, which so learns to stand
            for any word.
    """

    cell: Cell
    layers: int = 1
    units: int = 128
    embedding: int = 128
    dropout: float = 0.3
    word_dropout: float = 0.1


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How a network is fitted.

    Args:
        epochs: Passes over the training rows at most; None for as many as few rows need.
        patience: Epochs without a better validation score after which fitting ends.
        batch: Texts of one step.
        learning_rate: Highest rate; reached after a short warm-up, then lowered along a cosine.
        weight_decay: Decoupled weight decay of AdamW (Loshchilov and Hutter, ICLR 2019).
        adversarial: How far the vectors of a text are moved against its label, in lengths of one
            vector; 0 to learn from texts as they are only, in half the time.
    """

    epochs: int | None = None
    patience: int = 3
    batch: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    adversarial: float = 0.3


@dataclass(frozen=True, kw_only=True)
class PretrainSettings:
    """How a language model is fitted to texts without labels.

    Args:
        epochs: Passes over the texts.
        batch: Texts of one step.
        slice: Tokens of each text in one step.
        negatives: Tokens drawn from the vocabulary to compare each prediction with.
        learning_rate: Highest rate; reached after a short warm-up, then lowered along a cosine.
        vocabulary: Tokens of the vocabulary at most, learned from the same texts.
        max_tokens: Tokens after which a text is cut.
        seed: Seed of weights, order, dropout and samples; not that of the training, so that
            trainings with other seeds start from the same encoder.
    """

    epochs: int = 3
    batch: int = 64
    slice: int = 80
    negatives: int = 3_000
    learning_rate: float = 3e-3
    vocabulary: int = 16_000
    max_tokens: int = 1_500
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """One training.

    Args:
        name: Name of the model to publish a version of.
        dataset: File, folder or Hub id.
        config: Configuration of a Hub dataset.
        revision: Branch, tag or commit of a Hub dataset; None for its newest commit.
        text_column: Column that holds the text; None to find it.
        label_column: Column that holds the label; None to find it.
        vocabulary: Tokens of the vocabulary at most.
        ngrams: Whether there is a table of n-grams beside the network.
        subwords: Whether tokens that are spelled alike share what they learn, unless their vectors
            come from texts without labels or from a version; None for where texts are few.
        class_weight: What rows of rare labels count in the loss: as all others do, in inverse
            proportion to the label's frequency, or to its root.
        max_tokens: Tokens after which a training text is cut. Validation and test are never cut.
        start_from: The version, NAME:VERSION, whose network is gone on with.
        unlabeled: Texts without labels, from the same domain, to learn the language from; a file,
            folder or Hub id, with ":split" behind it for one split. The vocabulary is theirs then.
        self_training: How often to label those texts with the classifier and learn from them too.
        share: Of the labelled rows that the network sees, where there is no time for all.
        seed: Seed of the split, the weights, the order and the dropout.
        network: Shape of the network.
        fit: How it is fitted.
    """

    name: str
    dataset: str
    config: str | None = None
    revision: str | None = None
    text_column: str | None = None
    label_column: str | None = None
    vocabulary: int = 12_000
    max_tokens: int = 1_000
    ngrams: bool = True
    subwords: bool | None = None
    class_weight: ClassWeight = "none"
    start_from: str | None = None
    unlabeled: str | None = None
    self_training: int = 0
    share: float = 1.0
    seed: int = 1
    network: NetworkSettings
    fit: FitSettings = field(default_factory=FitSettings)
    pretrain: PretrainSettings = field(default_factory=PretrainSettings)

    def record(self) -> dict[str, Setting]:
        """Return the settings by name, for the metadata; what was found is recorded elsewhere."""
        own: dict[str, Setting] = {
            "vocabulary": self.vocabulary,
            "max_tokens": self.max_tokens,
            "ngrams": self.ngrams,
            "subwords": self.subwords,
            "class_weight": self.class_weight,
            "start_from": self.start_from,
            "unlabeled": self.unlabeled,
            "self_training": self.self_training,
            "share": self.share,
            "seed": self.seed,
        }
        pretrain = {f"pretrain_{name}": value for name, value in asdict(self.pretrain).items()}
        others = pretrain if self.unlabeled else {}
        return own | asdict(self.network) | asdict(self.fit) | others


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How long a training may take, in minutes from `started`, on the monotonic clock."""

    minutes: float
    started: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

"""Everything that decides what comes out of a training, apart from the data and the libraries."""

from dataclasses import asdict, dataclass, field
from typing import Literal

from models.metadata import Setting

Cell = Literal["lstm", "gru", "rnn"]


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
    dropout: float = 0.5
    word_dropout: float = 0.2


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How a network is fitted.

    Args:
        epochs: Passes over the training rows at most; None for as many as few rows need.
        patience: Epochs without a better validation accuracy after which fitting ends.
        batch: Texts of one step.
        learning_rate: Highest rate; reached after a short warm-up, then lowered along a cosine.
        weight_decay: Decoupled weight decay of AdamW (Loshchilov and Hutter, ICLR 2019).
    """

    epochs: int | None = None
    patience: int = 3
    batch: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2


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
        max_tokens: Tokens after which a training text is cut. Validation and test are never cut.
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
    seed: int = 1
    network: NetworkSettings
    fit: FitSettings = field(default_factory=FitSettings)

    def record(self) -> dict[str, Setting]:
        """Return the settings by name, for the metadata; what was found is recorded elsewhere."""
        own = {"vocabulary": self.vocabulary, "max_tokens": self.max_tokens, "seed": self.seed}
        return own | asdict(self.network) | asdict(self.fit)

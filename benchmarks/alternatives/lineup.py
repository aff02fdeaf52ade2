"""Lists what is compared: each with its texts, its settings, and how it is served."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.alternatives.names import FOLDER, MODEL
from benchmarks.serving.lineup import Contestant, gatewise
from service.engines.loading import EngineKind

WEB = ("fastapi", "uvicorn[standard]")
SKLEARN = ("scikit-learn>=1.7", "joblib", *WEB)
FASTTEXT = ("fasttext-numpy2-wheel>=0.9.2", "numpy>=2.2", *WEB)
ONNX = ("onnx>=1.20", "onnxruntime>=1.24", "tokenizers>=0.22", "numpy>=2.2")
ENCODER = (*ONNX, "scikit-learn>=1.7", *WEB)

REVIEWS, SENTENCES = "reviews", "sentences"
DATASETS = {REVIEWS: "imdb", SENTENCES: "sst2"}  # folder by kind of text
TITLES = {REVIEWS: "IMDB, reviews", SENTENCES: "SST-2, sentences"}
# Rows for the frozen encoder: a review takes it a tenth of a second, so all would take 80 minutes.
DRAWN_REVIEWS, DRAWN_SENTENCES = 5_000, 20_000
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Alternative:
    """A model of others, behind a few lines of FastAPI.

    Args:
        name: Name in the table and the plot; its first word names the environment.
        texts: What it classifies: reviews or sentences.
        model: Module of the folder `models`.
        packages: Packages of its environment.
        settings: Its settings in words; those chosen on validation rows are added.
        source: Name of the option with the folder that it starts from, if it needs one.
        most_train: Rows of train, drawn; all if None.
        most_test: Rows of test, drawn; all if None.
    """

    name: str
    texts: str
    model: str
    packages: tuple[str, ...]
    settings: str
    source: str | None = None
    most_train: int | None = None
    most_test: int | None = None

    def folder(self, work: Path) -> Path:
        """Return the folder of the fitted model."""
        return work / "models" / self.texts / self.model

    def contestant(self, work: Path) -> Contestant:
        """Return how it is served."""
        variables = {MODEL: self.model, FOLDER: str(self.folder(work.resolve()))}
        return Contestant(
            self.name,
            self.packages,
            lambda programs, port: [
                *(str(programs / "uvicorn"), "benchmarks.alternatives.app:app"),
                *("--port", str(port), "--log-level", "warning", "--no-access-log"),
            ],
            self.settings,
            environment=variables | ONE_THREAD,
        )


@dataclass(frozen=True)
class Ours:
    """A version of Gatewise, served by the service.

    Args:
        name: Name in the table and the plot.
        texts: What it classifies: reviews or sentences.
        version: Name of the version.
        settings: Its settings in words.
        engine: The engine.
    """

    name: str
    texts: str
    version: str
    settings: str
    engine: EngineKind = "auto"

    def contestant(self, work: Path) -> Contestant:
        """Return how it is served."""
        return gatewise(self.engine, name=self.name)


Entry = Alternative | Ours


def _alternatives(texts: str) -> tuple[Alternative, ...]:
    """Return the alternatives that are fitted here."""
    return (
        Alternative(
            "fastText",
            texts,
            "word_vectors",
            FASTTEXT,
            "bigrams, 10 dimensions",
        ),
        Alternative(
            "scikit-learn, TF-IDF",
            texts,
            "linear",
            SKLEARN,
            "bigrams in two texts or more, sublinear, logistic regression",
        ),
    )


def _frozen(texts: str, *, most_train: int | None = None, most_test: int | None = None) -> Entry:
    """Return the encoder as it is."""
    drawn = {"train": most_train, "test": most_test}
    limits = "".join(f", {rows:,} drawn rows of {name}" for name, rows in drawn.items() if rows)
    return Alternative(
        "MiniLM, frozen",
        texts,
        "frozen_encoder",
        ENCODER,
        f"all-MiniLM-L6-v2, int8 in ONNX Runtime, 256 tokens, logistic regression{limits}",
        "encoder",
        most_train,
        most_test,
    )


LINEUP: tuple[Entry, ...] = (
    *_alternatives(REVIEWS),
    _frozen(REVIEWS, most_train=DRAWN_REVIEWS, most_test=DRAWN_REVIEWS),
    Ours("Gatewise, LSTM", REVIEWS, "imdb-lstm", "`imdb-lstm`, native engine"),
    Ours("Gatewise, GRU", REVIEWS, "imdb-gru", "`imdb-gru`, native engine"),
    Ours("Gatewise, GRU, ONNX Runtime", REVIEWS, "imdb-gru", "`imdb-gru`", "onnx"),
    *_alternatives(SENTENCES),
    _frozen(SENTENCES, most_train=DRAWN_SENTENCES),
    Alternative(
        "MiniLM, fine-tuned",
        SENTENCES,
        "tuned_encoder",
        ENCODER,
        "all-MiniLM-L6-v2, fine-tuned on SST-2, int8 in ONNX Runtime",
        "tuned",
    ),
    Ours("Gatewise, GRU", SENTENCES, "sst2", "the defaults, native engine"),
)

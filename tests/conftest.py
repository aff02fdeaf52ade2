import csv
import os
import random
from pathlib import Path

import pytest

from models.versions import Version

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def write_reviews(path: Path, *, rows: int = 240, seed: int = 0) -> Path:
    """Write made-up reviews whose label a few words decide, under odd column names."""
    draw = random.Random(seed)
    kinds = {"like": ["lovely", "superb", "great"], "dislike": ["dull", "awful", "boring"]}
    filler = ["the", "plot", "was", "an", "evening", "with", "actors", "and", "music", "it", "is"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Was it any good?", "what they wrote", "no."])
        for row in range(rows):
            label = draw.choice(sorted(kinds))
            words = [*draw.choices(filler, k=draw.randint(3, 30)), draw.choice(kinds[label])]
            draw.shuffle(words)
            writer.writerow([label, " ".join(words), row])
    return path


TINY = [
    "--epochs=6",
    "--batch=16",
    "--vocabulary=300",
    "--units=8",
    "--embedding=8",
    "--learning-rate=0.02",
]
COLUMNS = ["--text-column=what they wrote", "--label-column=Was it any good?"]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Version:
    """A small version, trained by the pipeline itself."""
    from models.versions import Store
    from training.pipeline import train
    from training.prepare import prepare
    from training.settings import FitSettings, NetworkSettings, TrainSettings

    folder = tmp_path_factory.mktemp("trained")
    settings = TrainSettings(
        name="tiny",
        dataset=str(write_reviews(folder / "reviews.csv")),
        text_column="what they wrote",
        label_column="Was it any good?",
        vocabulary=300,
        network=NetworkSettings(cell="gru", units=8, embedding=8, dropout=0.2),
        fit=FitSettings(epochs=6, batch=16, learning_rate=0.02),
    )
    return train(prepare(settings), settings, store=Store(folder / "store"))

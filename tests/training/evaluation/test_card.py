"""The model card says how its version reads texts."""

import pytest

from tests.versions import make_metadata
from training.evaluation.card import write_card

FIGURES = {"rows": 10.0, "accuracy": 0.9, "macro_f1": 0.9, "log_loss": 0.3}
TRAINING = {"seconds": 1.0, "best_epoch": 1.0, "epochs": 2.0}


@pytest.mark.parametrize(
    ("normalization", "told"),
    [
        (1, "| 1 (lower case) |"),
        (2, "| 2 (case folded, ı and İ as i, invisible characters not read) |"),
    ],
)
def test_it_names_the_normalisation(normalization: int, told: str) -> None:
    metadata = make_metadata(metrics={"validation": FIGURES}, training=TRAINING)
    card = write_card(metadata, normalization=normalization, headline="Fine.", answer_times="1 ms")
    assert f"| normalisation of words {told}" in card

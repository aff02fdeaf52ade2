"""Made-up trials."""

from typing import Any

from training.tuning.outcome import Ending, Measured, Outcome

VALUES = {
    "units": 64,
    "layers": 1,
    "embedding": 32,
    "dropout": 0.35,
    "word_dropout": 0.1,
    "learning_rate": 0.00123,
    "batch": 16,
}


def make_outcome(
    number: int,
    *,
    score: float | None = 0.8,
    log_loss: float | None = 0.5,
    ending: Ending = "complete",
    is_default: bool = False,
    standard_error: float | None = 0.01,
    **values: Any,
) -> Outcome:
    measured = Measured(
        log_loss=log_loss,
        standard_error=standard_error,
        seconds=12.3,
        tokens_per_second=45_678 if ending == "complete" else None,
        parameters=1_234_567 if ending == "complete" else None,
        epochs=2,
    )
    return Outcome(
        number=number,
        ending=ending,
        is_default=is_default,
        values=VALUES | values,
        score=score,
        measured=measured,
    )

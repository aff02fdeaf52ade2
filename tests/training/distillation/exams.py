"""Made-up answers of a teacher and its students."""

from typing import Any

import numpy as np

from tests.rules import LIKELIEST
from training.distillation.exam import Exam, Sitting


def answer(truth: Any, *, right: float, certain: float = 0.9, seed: int = 0) -> Sitting:
    """Return answers about two labels of which a share is right, the certain ones more often."""
    random = np.random.default_rng(seed)
    sure = random.random(len(truth))
    chance = np.clip(right + (sure - 0.5) * 2 * (1 - right), 0, 1)
    decided = np.where(random.random(len(truth)) < chance, truth, 1 - truth)
    highest = 0.5 + (certain - 0.5) * sure
    probabilities = np.stack([1 - highest, highest], axis=1)
    probabilities[decided == 0] = probabilities[decided == 0][:, ::-1]
    return Sitting(probabilities.astype(np.float32), LIKELIEST)


def make_exam(rows: int = 1_000, *, purpose: str = "test", teacher: float = 0.95) -> Exam:
    truth = np.random.default_rng(1).integers(0, 2, rows).astype(np.int32)
    return Exam(
        purpose=purpose,
        rows=np.arange(rows) + 7,
        truth=truth,
        teacher=answer(truth, right=teacher, certain=1.0, seed=2),
        students={
            0.0: answer(truth, right=0.8, seed=3),
            0.5: answer(truth, right=0.85, seed=4),
            1.0: answer(truth, right=0.9, seed=5),
        },
    )

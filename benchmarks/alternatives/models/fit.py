"""Fits one alternative in its own environment, and judges it on test rows.

    python -m benchmarks.alternatives.models.fit MODEL ROWS FOLDER [SOURCE]

MODEL is a module of this folder, ROWS a file of Splits. SOURCE has what the model starts from.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.alternatives.models.choosing import tell
from benchmarks.alternatives.models.protocol import find_alternative
from benchmarks.alternatives.models.rows import Splits

FITTED, LABELS = "fitted.json", "labels.json"


def main(model: str, rows: str, target: str, source: str | None = None) -> None:
    """Fit a model; keep it and its figures in a folder."""
    splits, folder = Splits.load(Path(rows)), Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    alternative = find_alternative(model)
    fitted = alternative.fit(splits, folder, source=Path(source) if source else None)
    (folder / LABELS).write_text(json.dumps(splits.labels))
    tell(f"{len(splits.test.texts):,} test rows")
    verdicts = alternative.load(folder).classify(splits.test.texts)
    right = splits.test.count_right([label for label, _ in verdicts])
    figures = {"right": right, "rows": len(verdicts), "train": len(splits.train.texts)}
    (folder / FITTED).write_text(json.dumps(asdict(fitted) | figures))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Writes the texts to label next to a file that labelling tools import."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from training.console import console
from training.labelling.choosing import choose_rows
from training.network.build import predict_logits
from training.recipe.classifier import TrainedClassifier
from training.run import Run
from training.workspace.atomic import save_bytes

COLUMNS = ("text", "suggested", "probability")
"""Names of the columns. None is `label`: a suggestion must not be trained on by mistake."""

NextRow = dict[str, str | float]


def find_next(
    run: Run, classifier: TrainedClassifier, texts: Sequence[str], *, count: int
) -> list[NextRow]:
    """Return the rows to label next.

    Args:
        run: The training.
        classifier: What it led to.
        texts: Texts without labels.
        count: Rows to choose.
    """
    data, cut = run.prepared.data, run.settings.max_tokens
    rows = [row[:cut] for row in run.prepared.tokenizer.encode_batch(texts)]
    probabilities = classifier.probabilities(rows)
    network = classifier.network
    with console.status("comparing the texts"):
        inner = keras.Model(network.input, network.get_layer("pool").output)
        pools = predict_logits(inner, rows)
    chosen = choose_rows(
        pools,
        probabilities,
        task=data.task,
        count=count,
        seed=run.settings.seed,
    )
    rule = classifier.rule
    decided = rule.choose(probabilities[chosen])
    return [
        {
            "text": texts[row],
            "suggested": _name(verdict, data.labels),
            "probability": round(float(probabilities[row, rule.foremost(probabilities[row])]), 4),
        }
        for row, verdict in zip(chosen.tolist(), decided, strict=True)
    ]


def write_next(rows: Sequence[NextRow], path: Path) -> None:
    """Write the rows as CSV or JSONL, by the ending of the file."""
    if path.suffix == ".jsonl":
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, COLUMNS, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writeheader()
        writer.writerows(rows)
        content = table.getvalue()
    save_bytes(content.encode("utf-8", "surrogatepass"), path=path)
    console.print(f"{len(rows):,} rows to label next: {path}")


def _name(verdict: np.ndarray, labels: Sequence[str]) -> str:
    """Return the label of a row; several are joined by commas."""
    if verdict.ndim == 0:
        return labels[int(verdict)]
    return ", ".join(labels[label] for label in np.flatnonzero(verdict))

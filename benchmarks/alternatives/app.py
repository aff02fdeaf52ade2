"""Serves a fitted alternative with a few lines of FastAPI."""

import json
import os
from pathlib import Path

from fastapi import FastAPI

from benchmarks.alternatives.models.fit import LABELS
from benchmarks.alternatives.models.protocol import find_alternative
from benchmarks.alternatives.names import FOLDER, MODEL
from benchmarks.serving.contestants.schemas import Prediction, Question

app = FastAPI()
folder = Path(os.environ[FOLDER])
labels = json.loads((folder / LABELS).read_text())
model = find_alternative(os.environ[MODEL]).load(folder)


# On the event loop: with one core, a pool of threads would only cost time.
@app.post("/predict")
async def predict(question: Question) -> Prediction:
    """Classify a text."""
    ((label, score),) = model.classify([question.text])
    return Prediction(label=labels[label], score=score)

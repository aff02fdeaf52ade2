"""A few lines of FastAPI, as in many tutorials."""

from fastapi import FastAPI

from benchmarks.serving.contestants.savedmodel import SavedModel
from benchmarks.serving.contestants.schemas import Prediction, Question

app = FastAPI()
model = SavedModel()


@app.post("/predict")
def predict(question: Question) -> Prediction:
    """Classify a text."""
    return Prediction.model_validate(model.classify([question.text])[0])

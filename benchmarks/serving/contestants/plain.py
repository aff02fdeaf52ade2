"""Forty lines of FastAPI, as in many tutorials."""

from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.serving.contestants.savedmodel import SavedModel


class Question(BaseModel):
    """A text."""

    text: str


class Prediction(BaseModel):
    """Its label."""

    label: str
    score: float


app = FastAPI()
model = SavedModel()


@app.post("/predict")
def predict(question: Question) -> Prediction:
    """Classify a text."""
    return Prediction.model_validate(model.classify([question.text])[0])

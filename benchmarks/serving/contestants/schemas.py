"""What FastAPI takes and gives, where a contestant is made with it."""

from pydantic import BaseModel


class Question(BaseModel):
    """A text."""

    text: str


class Prediction(BaseModel):
    """Its label."""

    label: str
    score: float

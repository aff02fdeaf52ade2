"""What is said of a text: its labels with their probabilities, and why."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field

from models.decisions import DecisionRule
from models.golden import Probabilities
from models.metadata import Metadata

DECIMALS = 7  # of a probability; what a 32-bit float has

Method = Literal["prefix", "occlusion"]


class _Label(BaseModel):
    label: str
    score: Annotated[float, Field(description="Probability of the label.")]


class _Labels(BaseModel):
    labels: Annotated[list[str], Field(description="Labels that reach their thresholds.")]


class Contribution(BaseModel):
    """What one token contributes to the log-odds of a label."""

    start: Annotated[int, Field(description="First character.")]
    end: Annotated[int, Field(description="Past-the-end character.")]
    contribution: float


class Explanation(BaseModel):
    """What each token contributes; `GET /explanations` says what that means."""

    method: Method
    label: Annotated[
        str,
        Field(
            description="Whose log-odds are explained: the given label, of several the likeliest."
        ),
    ]
    log_odds: Annotated[float, Field(description="Of the label: ln(p / (1 - p)).")]
    log_odds_of_nothing: Annotated[
        float | None, Field(description="Of the empty text; with the contributions, `log_odds`.")
    ] = None
    tokens: list[Contribution]


class Stand(BaseModel):
    """How the verdict stands after a sentence."""

    start: Annotated[int, Field(description="First character of the sentence.")]
    end: Annotated[int, Field(description="Past-the-end character.")]
    labels: Annotated[list[str], Field(description="What the text so far would be given.")]
    probabilities: dict[str, float]


GateMeans = Annotated[
    list[dict[str, float]],
    Field(description="Mean opening of each gate, from 0 to 1, by recurrent layer."),
]


class GatesAt(BaseModel):
    """How far the gates open at a token."""

    start: Annotated[int, Field(description="First character of the token.")]
    end: Annotated[int, Field(description="Past-the-end character.")]
    gates: GateMeans


class Turn(BaseModel):
    """A sentence after which the labels are others than before it."""

    start: int
    end: int
    before: list[str]
    after: list[str]


class _Answer(BaseModel):
    probabilities: Annotated[
        dict[str, float], Field(description="Calibrated probability by label, highest first.")
    ]
    model: str
    version: int
    tokens: Annotated[int, Field(description="Tokens of the text.")]
    read: Annotated[
        int | None, Field(description="Tokens that the network read, where `stop_at` is given.")
    ] = None
    truncated: Annotated[bool, Field(description="Whether some of the text was not read.")] = False
    trajectory: Annotated[
        list[Stand] | None, Field(description="After each sentence, where asked for.")
    ] = None
    turns: Annotated[
        list[Turn] | None, Field(description="Sentences that changed the verdict.")
    ] = None
    explanation: Annotated[Explanation | None, Field(description="Where asked for.")] = None
    gates: Annotated[list[GatesAt] | None, Field(description="Where asked for.")] = None


# The second base's fields come first in the JSON.
class Prediction(_Answer, _Label):
    """The label of a text."""


class MultiLabelPrediction(_Answer, _Labels):
    """The labels of a text."""


Answer = Prediction | MultiLabelPrediction


class Step(BaseModel):
    """How the verdict stands after a token."""

    start: Annotated[int, Field(description="First character of the token, in all of the text.")]
    end: Annotated[int, Field(description="Past-the-end character.")]
    held: Annotated[bool, Field(description="More text may change this token, or end it.")]
    log_odds: Annotated[dict[str, float], Field(description="Of each label: ln(p / (1 - p)).")]
    gates: GateMeans | None = None


def make_prediction(
    probabilities: Probabilities, metadata: Metadata, *, tokens: int, top_k: int | None = None
) -> Answer:
    """Return what the probabilities of one text mean.

    Args:
        probabilities: Of each label, shape (labels,).
        metadata: Of the version that gave them.
        tokens: Tokens of the text.
        top_k: Number of probabilities to give, highest first; None for all.
    """
    values = [round(value, DECIMALS) for value in probabilities.tolist()]
    order = sorted(range(len(values)), key=values.__getitem__, reverse=True)
    labels = metadata.labels
    rule = DecisionRule.of(metadata)
    common: dict[str, Any] = {
        "probabilities": {labels[index]: values[index] for index in order[:top_k]},
        "model": metadata.name,
        "version": metadata.version,
        "tokens": tokens,
    }
    # Rounded ones are what the client sees; but thresholds of single label would enlarge the error.
    if rule.gives_likeliest:
        best = order[0]
    elif rule.task == "single_label":
        (best,) = rule.verdict(probabilities)
    else:
        given = rule.verdict(np.array(values))
        return MultiLabelPrediction(labels=[labels[i] for i in order if given[i]], **common)
    return Prediction(label=labels[best], score=values[best], **common)

import numpy as np
import pytest

from service.answering.prediction import MultiLabelPrediction, Prediction, make_prediction
from tests.versions import make_metadata


def test_the_most_probable_label_wins() -> None:
    prediction = make_prediction(np.array([0.25, 0.75], np.float32), make_metadata(), tokens=3)
    assert isinstance(prediction, Prediction)
    assert (prediction.label, prediction.score, prediction.tokens) == ("pos", 0.75, 3)
    assert list(prediction.probabilities) == ["pos", "neg"]


@pytest.mark.parametrize(
    ("probabilities", "labels"),
    [([0.5, 0.2, 0.9], ["c", "a"]), ([0.49, 0.9, 0.1], ["b"]), ([0.1, 0.1, 0.1], [])],
)
def test_several_labels_may_reach_their_thresholds(
    probabilities: list[float], labels: list[str]
) -> None:
    metadata = make_metadata(task="multi_label", labels=("a", "b", "c"), thresholds=(0.5, 0.3, 0.8))
    prediction = make_prediction(np.array(probabilities, np.float32), metadata, tokens=3)
    assert isinstance(prediction, MultiLabelPrediction)
    assert prediction.labels == labels


def test_of_labels_with_thresholds_the_largest_multiple_wins() -> None:
    metadata = make_metadata(labels=("common", "rare"), thresholds=(1.0, 0.2))
    prediction = make_prediction(np.array([0.75, 0.25], np.float32), metadata, tokens=3)
    assert isinstance(prediction, Prediction)
    assert (prediction.label, prediction.score) == ("rare", 0.25)
    assert list(prediction.probabilities) == ["common", "rare"]


def test_rounding_does_not_decide_between_labels_with_thresholds() -> None:
    metadata = make_metadata(labels=("common", "rare"), thresholds=(1.0, 1e-4))
    probabilities = np.array([0.66923106, 6.694198e-05], np.float32)
    assert round(float(probabilities[1]), 7) / 1e-4 < probabilities[0]
    prediction = make_prediction(probabilities, metadata, tokens=3)
    assert isinstance(prediction, Prediction)
    assert prediction.label == "rare"

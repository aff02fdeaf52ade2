"""What an exported classifier remembers of a text from one piece to the next."""

from models.metadata import StateTensor
from models.network import Network
from training.recipe.classifier import TrainedClassifier


def describe_network(classifier: TrainedClassifier) -> Network:
    """Return what decides the shapes of an exported classifier."""
    shape, table = classifier.shape, classifier.ngrams
    buckets, columns = (0, 0) if table is None else table.table.shape
    return Network(
        cell=shape.cell,
        layers=shape.layers,
        units=shape.units,
        embedding=shape.embedding,
        vocabulary=classifier.network.get_layer("embedding").input_dim,
        labels=classifier.labels,
        exclusive=classifier.task == "single_label",
        buckets=buckets,
        columns=columns,
    )


def describe_state(classifier: TrainedClassifier) -> tuple[StateTensor, ...]:
    """Return what an exported classifier remembers of a text."""
    return describe_network(classifier).state

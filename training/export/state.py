"""What an exported classifier remembers of a text from one piece to the next."""

from models.cells import state_names
from models.metadata import StateTensor
from training.linear.ngrams import REMEMBERED
from training.network.pool import pool_tensors
from training.recipe.classifier import TrainedClassifier
from training.settings import NetworkSettings


def state_tensors(settings: NetworkSettings, *, ngram_columns: int = 0) -> tuple[StateTensor, ...]:
    """Return what is remembered of a text: layers' states, running pool, and n-grams if any."""
    recurrent = [
        StateTensor(name=name, shape=(settings.units,), fill=0.0)
        for index in range(settings.layers)
        for name in state_names(settings.cell, index)
    ]
    pool = pool_tensors(settings.units)
    ngrams = [
        StateTensor(name="ngrams", shape=(ngram_columns,), fill=0.0),
        StateTensor(name="recent", shape=(REMEMBERED,), fill=0.0),
    ]
    return (*recurrent, *pool, *(ngrams if ngram_columns else []))


def describe_state(classifier: TrainedClassifier) -> tuple[StateTensor, ...]:
    """Return what an exported classifier remembers of a text."""
    ngrams = classifier.ngrams
    columns = ngrams.table.shape[1] if ngrams is not None else 0
    return state_tensors(classifier.shape, ngram_columns=columns)

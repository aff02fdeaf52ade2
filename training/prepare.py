"""From a dataset's name to token ids: everything that comes before the network."""

from dataclasses import dataclass

from models.tokenizer import Tokenizer
from training.console import console
from training.data import LabelledData, read_data
from training.settings import TrainSettings
from training.sources import load_source
from training.vocabulary import learn_vocabulary

Rows = list[list[int]]


@dataclass(frozen=True)
class Prepared:
    """Labelled texts, the tokenizer learned from them and their ids by split."""

    data: LabelledData
    tokenizer: Tokenizer
    ids: dict[str, Rows]


def prepare(settings: TrainSettings) -> Prepared:
    """Load the data, learn the vocabulary, turn texts into ids.

    Raises:
        DataError: The dataset cannot be found, read or used.
    """
    data = _load(settings)
    with console.status("learning the vocabulary"):
        tokenizer = learn_vocabulary(data.train.texts, size=settings.vocabulary)
    with console.status("turning texts into ids"):
        ids = {name: tokenizer.encode_batch(split.texts) for name, split in data.splits.items()}
    console.print(f"vocabulary: {len(tokenizer):,} tokens")
    _warn_of_cut_texts(ids["train"], settings.max_tokens)
    return Prepared(data, tokenizer, ids)


def _load(settings: TrainSettings) -> LabelledData:
    source = load_source(settings.dataset, config=settings.config, revision=settings.revision)
    console.print(f"data: {source.description}")
    data = read_data(
        source,
        text_column=settings.text_column,
        label_column=settings.label_column,
        seed=settings.seed,
    )
    rows = ", ".join(f"{len(split):,} {purpose}" for purpose, split in data.splits.items())
    console.print(
        f"rows: {rows}; text {data.text_column!r}, "
        f"label {data.label_column!r} with {len(data.labels)} classes"
    )
    for notice in data.notices:
        console.print(f"note: {notice}")
    return data


def _warn_of_cut_texts(rows: Rows, limit: int) -> None:
    cut = sum(len(row) > limit for row in rows)
    if cut:
        lost = sum(max(0, len(row) - limit) for row in rows) / sum(map(len, rows))
        console.print(f"note: {cut:,} training texts cut to {limit:,} tokens, {lost:.1%} of all")

"""From the name of a dataset to token ids: all steps before the network."""

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.normalization import LATEST
from models.tokenizer import Tokenizer
from training.console import console
from training.data.coverage import COVERED, find_coverage
from training.data.nesting import find_nesting
from training.data.sources import load_source
from training.data.splits import LabelledData, read_data
from training.data.unlabeled import read_corpus
from training.data.vocabulary import extend_vocabulary, learn_vocabulary
from training.inspection.doctor import leaks_of, quick_findings
from training.inspection.terminal import print_alarms
from training.settings import TrainSettings
from training.targets import count_classes
from training.teachers.taught import Taught, ask_teacher, tell_of_teacher
from training.teachers.verdicts import Teacher

FEW = 50  # validation rows; with fewer, a figure is off by 10 points for no reason

Rows = list[list[int]]


@dataclass(frozen=True)
class Prepared:
    """Labelled texts, the tokenizer learned from them and their ids by split.

    Args:
        data: The labelled texts.
        tokenizer: Learned from the texts without labels if there are any, else from train.
        ids: Ids of each row, by split.
        leaks: Whether each row also occurs in train, shape (rows,); by split, without train.
        domain: Ids of all texts without labels.
        corpus: Ids of those texts without labels that occur in no labelled split.
        domain_texts: All texts without labels, where an encoder is to read them.
        took_offer: Whether the tokenizer extends the one that was offered.
        taught: What a teacher says of further texts; None without a teacher.
        taught_ids: Ids of these texts.
    """

    data: LabelledData
    tokenizer: Tokenizer
    ids: dict[str, Rows]
    leaks: dict[str, NDArray[np.bool_]]
    domain: Rows = field(default_factory=list)
    corpus: Rows = field(default_factory=list)
    domain_texts: Sequence[str] = ()
    took_offer: bool = False
    taught: Taught | None = None
    taught_ids: Rows = field(default_factory=list)

    def lengths(self, purpose: str) -> NDArray[np.int64]:
        """Return the tokens of each row of a split."""
        rows = self.ids[purpose]
        return np.fromiter(map(len, rows), np.int64, len(rows))

    @cached_property
    def domain_sha256(self) -> str:
        """Hash of the ids of all texts without labels, in order."""
        digest = hashlib.sha256()
        for row in self.domain:
            digest.update(np.array([len(row), *row], np.int32).tobytes())
        return digest.hexdigest()


def prepare(
    settings: TrainSettings,
    *,
    known: Tokenizer | None = None,
    offered: Tokenizer | None = None,
    rows: int | None = None,
    teacher: Teacher | None = None,
) -> Prepared:
    """Load the data, learn the vocabulary and turn texts into ids.

    Args:
        settings: What to load and how.
        known: A tokenizer whose tokens keep their ids, and whose normalisation is kept.
        offered: A tokenizer that is taken as `known` where it has most words of train.
        rows: Number of rows of train to keep, drawn by the seed; None for all.
        teacher: Who labels further texts; None for nobody.

    Raises:
        DataError: The dataset cannot be found, read or used.
        TeacherError: The teacher cannot be asked, or has no text to learn from.
    """
    data = _load(settings)
    if rows is not None and rows < len(data.train):
        console.print(
            f"note: {rows:,} of {len(data.train):,} rows of train are drawn, seed {settings.seed}"
        )
        data = _thin(data, rows, seed=settings.seed)
    texts = _read_unlabelled(settings)
    taught = ask_teacher(teacher, data, texts) if teacher is not None else None
    took_offer = offered is not None and _takes(offered, data, asked=settings.pretrained)
    known = offered if took_offer else known
    with console.status("learning the vocabulary"):
        tokenizer = _learn_vocabulary(data, texts, taught, settings=settings, known=known)
    with console.status("turning texts into ids"):
        ids = _encode(data, tokenizer)
        domain = tokenizer.encode_batch(texts)
        further = tokenizer.encode_batch(list(taught.verdicts.texts)) if taught is not None else []
    corpus = [domain[place] for place in data.find_own(texts)]
    if taught is not None:
        tell_of_teacher(taught)
    if texts:
        console.print(f"unlabelled: {len(texts):,} texts, {len(corpus):,} of them in no split")
    console.print(f"vocabulary: {len(tokenizer):,} tokens")
    _tell_of_old_normalization(tokenizer)
    _warn_of_cut_texts(ids["train"], settings.max_tokens)
    return Prepared(
        data,
        tokenizer,
        ids,
        leaks=_inspect(data),
        domain=domain,
        corpus=corpus,
        domain_texts=texts if settings.encoder is not None else (),  # else only their ids are kept
        took_offer=took_offer,
        taught=taught,
        taught_ids=further,
    )


def _takes(offered: Tokenizer, data: LabelledData, *, asked: bool | None) -> bool:
    """Say whether the training starts from the network with this tokenizer; return it."""
    covered = find_coverage(offered, data.train.whole_texts)
    share = f"it has {covered:.0%} of the words of train"
    if asked or covered >= COVERED:
        console.print(f"starts from the English network that is shipped: {share}")
        return True
    console.print(f"note: the English network that is shipped is not the start: {share}")
    return False


def _learn_vocabulary(
    data: LabelledData,
    texts: Sequence[str],
    taught: Taught | None,
    *,
    settings: TrainSettings,
    known: Tokenizer | None,
) -> Tokenizer:
    """Return the vocabulary of all texts that are learned from.

    Where they teach language, those without labels are enough: what was learned from them then fits
    any labels.
    """
    if texts and (taught is None or settings.encoder is not None or settings.pretrain.epochs):
        return _learn_tokenizer(texts, size=settings.pretrain.vocabulary, known=known)
    further = taught.verdicts.texts if taught is not None else ()
    train = [*data.train.whole_texts, *further]
    return _learn_tokenizer(train, size=settings.vocabulary, known=known)


def _read_unlabelled(settings: TrainSettings) -> list[str]:
    if settings.unlabeled is None:
        return []
    notices: list[str] = []
    with console.status("reading the texts without labels"):
        texts = read_corpus(settings.unlabeled, reading=settings.reading, notices=notices)
    console.print_notes(notices)
    return texts


def _inspect(data: LabelledData) -> dict[str, NDArray[np.bool_]]:
    """Warn of faults in the rows; return the leaks of each split, see `Prepared`."""
    findings = quick_findings(
        {purpose: split.texts for purpose, split in data.splits.items()},
        labels={purpose: split.labels for purpose, split in data.splits.items()},
        classes=data.labels,
    )
    print_alarms(findings)
    return leaks_of(findings)


def _load(settings: TrainSettings) -> LabelledData:
    # In a log, errors about data stand alone.
    with console.status("reading the rows") if console.is_terminal else nullcontext():
        source = load_source(
            settings.dataset,
            config=settings.config,
            revision=settings.revision,
            reading=settings.reading,
        )
    console.print(f"data: {source.description}")
    console.print_notes(source.notes)
    data = read_data(source, reading=settings.reading, seed=settings.seed)
    rows = ", ".join(f"{len(split):,} {purpose}" for purpose, split in data.splits.items())
    console.print(
        f"rows: {rows}; text {data.text_column!r}, "
        f"label {data.label_column!r} with {len(data.labels)} classes"
    )
    console.print_notes([*data.notices, *_notice_few(data)])
    return data


def _notice_few(data: LabelledData) -> list[str]:
    """Say what validation consists of where its rows are few or some classes have none."""
    classes = len(data.labels)
    counts = [count_classes(s.labels, classes=classes) for s in (data.train, data.validation)]
    missing = int(np.count_nonzero(counts[0][counts[1] == 0]))
    rows, trained = len(data.validation.labels), int(np.count_nonzero(counts[0]))
    if not missing and rows >= FEW:
        return []
    of = f", of {trained - missing:,} of the {trained:,} classes of train" if missing else ""
    shown = "1 row" if rows == 1 else f"{rows:,} rows"
    return [f"validation has {shown}{of}: calibration and figures rest on that alone"]


def thin(
    prepared: Prepared,
    rows: int,
    *,
    seed: int,
    settings: TrainSettings,
    known: Tokenizer | None = None,
) -> Prepared:
    """Return what would be prepared from so many rows of train, drawn by a seed.

    Validation rows stay judged as before: those that occur in all of train still do not decide.
    """
    data = _thin(prepared.data, rows, seed=seed)
    tokenizer = _learn_tokenizer(data.train.whole_texts, size=settings.vocabulary, known=known)
    return replace(prepared, data=data, tokenizer=tokenizer, ids=_encode(data, tokenizer))


def _learn_tokenizer(texts: Sequence[str], *, size: int, known: Tokenizer | None) -> Tokenizer:
    """Return the vocabulary of texts; the tokens of `known` come before it."""
    learned = learn_vocabulary(texts, size=size, known=known)
    return extend_vocabulary(known, learned) if known else learned


def _encode(data: LabelledData, tokenizer: Tokenizer) -> dict[str, Rows]:
    return {name: tokenizer.encode_batch(split.texts) for name, split in data.splits.items()}


def _thin(data: LabelledData, rows: int, *, seed: int) -> LabelledData:
    kept = np.sort(np.random.default_rng(seed).permutation(len(data.train))[:rows])
    name = f"{data.train.name} ({rows:,} rows drawn, seed {seed})"
    train = data.train.take(kept, name=name)
    # A phrase whose sentence was not drawn is a text of its own now.
    train = replace(train, whole=~find_nesting(train.texts).inner)
    return replace(data, train=train)


def _tell_of_old_normalization(tokenizer: Tokenizer) -> None:
    if tokenizer.normalization != LATEST:
        console.print(
            f"note: words are normalised as in the version to start from, by rule "
            f"{tokenizer.normalization}; a training from the beginning has rule {LATEST}"
        )


def _warn_of_cut_texts(rows: Rows, limit: int) -> None:
    cut = sum(len(row) > limit for row in rows)
    if cut:
        lost = sum(max(0, len(row) - limit) for row in rows) / sum(map(len, rows))
        console.print(f"note: {cut:,} training texts cut to {limit:,} tokens, {lost:.1%} of all")

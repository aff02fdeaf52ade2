"""Chooses the defaults that depend on the data or on the version that a training starts from."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import Any

from models.metadata import Task
from models.versions import Version
from training.errors import TrainingError
from training.settings import (
    SETTINGS,
    FitSettings,
    NetworkSettings,
    PretrainSettings,
    TeachSettings,
    TrainSettings,
)

USUAL = {
    "cell": "gru",
    "layers": NetworkSettings.layers,
    "units": NetworkSettings.units,
    "embedding": NetworkSettings.embedding,
}
WIDER = {"units": 256}  # where texts without labels add to the data
GENTLER = 1e-3  # learning rate that keeps what was pretrained
ROUNDS = 1  # of self-training with a time budget; its plan drops them if time is short
BATCH, SMALLEST_BATCH = 32, 8  # texts
FEWEST_STEPS = 1_000  # a network learns little in fewer; few rows are repeated
FEWEST_TOKENS = 4_000_000  # a network learns little from fewer; short texts are repeated
MOST_FOR_TOKENS = 4  # epochs for short texts; with more, the network memorizes the rows
FEWEST_EPOCHS, MOST_EPOCHS = 2, 30
SEVERAL_LABELS = 3  # times as many epochs: each label is a task of its own, and most are rare

CHOSEN = {
    "name": "that of the dataset",
    "cell": USUAL["cell"],
    "layers": f"{USUAL['layers']}",
    "units": f"{USUAL['units']}, or {WIDER['units']} with --unlabeled alone",
    "embedding": f"{USUAL['embedding']}",
    "batch": f"{BATCH}, down to {SMALLEST_BATCH} for few rows with several labels each",
    "vocabulary": f"{TrainSettings.vocabulary}, or {PretrainSettings.vocabulary} where --unlabeled "
    "teaches",
    "epochs": f"{FEWEST_EPOCHS}, more for few or short rows",
    "learning_rate": f"{FitSettings.learning_rate}, or {GENTLER} with --unlabeled alone, --encoder "
    "or --from",
    "subwords": "yes where texts are few",
    "pretrained": "yes for English and the usual shape, if nothing else is the start",
    "self_training": f"{TrainSettings.self_training}, or {ROUNDS} with --time-budget",
    "pretrain_epochs": f"{PretrainSettings.epochs}, or none with a teacher",
    "teach_epochs": f"{TeachSettings.epochs}",
}
"""How the defaults are chosen here, in words, by setting."""

DECIDED_ALONG = {"vocabulary": ("pretrain_vocabulary",)}
"""Settings without an option that the option of another decides."""


@dataclass(frozen=True)
class Origin:
    """The known network that --from names.

    Args:
        reference: Its name, for messages and the record.
        shape: Cell, layers, units and embedding.
        learning_rate: Rate that keeps what it learned.
        folder: The folder that it was read from, as --from names it; None for a version.
    """

    reference: str
    shape: Mapping[str, Any]
    learning_rate: float
    folder: str | None = None

    @classmethod
    def of(cls, version: Version) -> "Origin":
        """Return what a published version is as an origin."""
        architecture = version.metadata.architecture
        shape = {name: getattr(architecture, name) for name in USUAL}
        return cls(version.reference, shape, GENTLER)


def complete(asked: Mapping[str, Any], *, start: Origin | None, budgeted: bool) -> dict[str, Any]:
    """Return the values of all settings that are named in `asked`, with defaults for None.

    The batch, the epochs, the spelling, and whether the shipped network is the start may stay None.
    They are chosen when the rows have been read.

    Args:
        asked: Values by the names of settings in the record; None where none was given.
        start: The network that is trained further, if there is one.
        budgeted: Whether there is a time budget.

    Raises:
        TrainingError: The shape in `asked` is not that of this network.
    """
    reads = _reads_language(asked)
    _refuse_two_starts(asked, start=start)
    _refuse_two_teachers(asked)
    shape = {name: asked[name] for name in USUAL}
    rate = GENTLER if reads or asked.get("encoder") else FitSettings.learning_rate
    rate = start.learning_rate if start else rate
    chosen = choose_shape(shape, start=start, pretrains=reads)
    return {
        **asked,
        **chosen,
        "pretrained": choose_pretrained(asked, start=start),
        "start_from": (start.folder or start.reference) if start else None,
        "vocabulary": asked["vocabulary"] or TrainSettings.vocabulary,
        "pretrain_vocabulary": asked["vocabulary"] or PretrainSettings.vocabulary,
        "learning_rate": asked["learning_rate"] or rate,
        "pretrain_epochs": _choose_pretraining(asked),
        "teach_epochs": asked["teach_epochs"] or TeachSettings.epochs,
        "self_training": choose_rounds(asked["self_training"], budgeted=budgeted)
        if asked["unlabeled"] and not _is_taught(asked)
        else 0,
    }


def is_default(name: str, settings: TrainSettings) -> bool:
    """Whether a setting has the value that it has where its option is absent.

    Args:
        name: The setting.
        settings: All settings, which the others stay.
    """
    default, value = SETTINGS[name].field.default, SETTINGS[name].value(settings)
    if default is MISSING or name not in CHOSEN:
        return value == default
    if settings.start_from is not None:  # its network decides
        return False
    asked = {each: declared.value(settings) for each, declared in SETTINGS.items()}
    chosen = [
        complete(asked | {name: None}, start=None, budgeted=budgeted) for budgeted in (False, True)
    ]
    decided = (name, *DECIDED_ALONG.get(name, ()))
    return all(asked[each] == values[each] for values in chosen for each in decided)


def _is_taught(asked: Mapping[str, Any]) -> bool:
    """Whether a teacher labels further texts."""
    return bool(asked.get("teacher") or asked.get("teacher_command"))


def _reads_language(asked: Mapping[str, Any]) -> bool:
    """Whether a language model is learned from texts without labels, to start from.

    A teacher makes better use of them, so beside one it is learned only where it is asked for.
    """
    if not asked["unlabeled"] or asked.get("encoder"):
        return False
    return bool(asked["pretrain_epochs"]) or not _is_taught(asked)


def _choose_pretraining(asked: Mapping[str, Any]) -> int:
    """Return the passes over texts without labels to learn their language."""
    if _is_taught(asked) and not _reads_language(asked):
        return 0
    return asked["pretrain_epochs"] or PretrainSettings.epochs


def _refuse_two_teachers(asked: Mapping[str, Any]) -> None:
    """Reject two teachers, and teachers beside self-training."""
    if asked.get("teacher") and asked.get("teacher_command"):
        raise TrainingError("--teacher and --teacher-command both name a teacher; give one of them")
    if _is_taught(asked) and asked["self_training"]:
        raise TrainingError("a teacher and --self-training both label texts; give one of them")


def _refuse_two_starts(asked: Mapping[str, Any], *, start: Origin | None) -> None:
    """Reject options that start the network from different places."""
    given = {
        "--vectors": asked.get("vectors"),
        "--encoder": asked.get("encoder"),
        "--from": start,
    }
    starts = [option for option, value in given.items() if value]
    if asked.get("vectors") and _reads_language(asked):
        starts.append("--unlabeled")
    if len(starts) > 1:
        raise TrainingError(f"{' and '.join(starts)} both say where to start; give one of them")


def choose_shape(
    asked: Mapping[str, Any], *, start: Origin | None, pretrains: bool
) -> dict[str, Any]:
    """Return cell, layers, units and embedding.

    Args:
        asked: Values of the same names; None where none was given.
        start: The network that is trained further, if there is one.
        pretrains: Whether a language model is learned from texts without labels.

    Raises:
        TrainingError: The shape in `asked` is not that of this network, or the training has two
            starting points.
    """
    said = {name: value for name, value in asked.items() if value is not None}
    if start is None:
        return USUAL | (WIDER if pretrains else {}) | said
    if pretrains:
        raise TrainingError("--from and --unlabeled both say where to start; give one of them")
    for name, value in said.items():
        if value != start.shape[name]:
            raise TrainingError(
                f"--{name} {value}: the network of {start.reference} has {start.shape[name]}; "
                f"leave --{name} out, or --from"
            )
    return dict(start.shape)


def choose_pretrained(asked: Mapping[str, Any], *, start: Origin | None) -> bool | None:
    """Return whether the shipped network may be the start; None where the texts decide.

    Raises:
        TrainingError: It is asked for beside another start.
    """
    others = {
        "--from": start,
        "--vectors": asked.get("vectors"),
        "--unlabeled": _reads_language(asked),
        "--subwords": asked["subwords"],
    }
    other = next((option for option, value in others.items() if value), None)
    wanted: bool | None = asked.get("pretrained")
    if wanted and other:
        raise TrainingError(f"--pretrained and {other} both say where to start; give one of them")
    return False if other else wanted


def choose_rounds(asked: int | None, *, budgeted: bool) -> int:
    """Return the rounds of self-training."""
    if asked is not None:
        return asked
    return ROUNDS if budgeted else TrainSettings.self_training


def choose_batch(rows: int, *, task: Task) -> int:
    """Return the texts of a step.

    Where a row may have several labels, most are rare. From few large steps the network learns
    little more than how rare they are.
    """
    batch = BATCH
    while task == "multi_label" and batch > SMALLEST_BATCH:
        if MOST_EPOCHS * math.ceil(rows / batch) >= FEWEST_STEPS:
            break
        batch //= 2
    return batch


def choose_steps(settings: FitSettings, *, rows: int, tokens: int, task: Task) -> tuple[int, int]:
    """Return the texts of a step and the most passes over the rows: as given, or else chosen."""
    batch = settings.batch or choose_batch(rows, task=task)
    batches = math.ceil(rows / batch)
    return batch, settings.epochs or choose_epochs(batches, tokens=tokens, task=task)


def choose_epochs(batches: int, *, tokens: int, task: Task) -> int:
    """Return the most passes over the rows; early stopping may end the fit before.

    Args:
        batches: Steps of an epoch.
        tokens: Tokens of an epoch.
        task: Whether labels exclude each other.
    """
    fewest = FEWEST_EPOCHS if task == "single_label" else FEWEST_EPOCHS * SEVERAL_LABELS
    for_steps = min(MOST_EPOCHS, math.ceil(FEWEST_STEPS / batches))
    for_tokens = min(MOST_FOR_TOKENS, math.ceil(FEWEST_TOKENS / max(1, tokens)))
    return max(fewest, for_steps, for_tokens)


def spells_by_default(tokens: int) -> bool:
    """Whether vectors are made of the tokens' spelling where train has so many tokens."""
    return tokens < FEWEST_TOKENS

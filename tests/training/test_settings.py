"""Settings are declared once: record, identity and options follow from the fields."""

import dataclasses
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from training.reading import Reading
from training.settings import SETTINGS, FitSettings, NetworkSettings, TrainSettings

LEFT_OUT = {
    *("name", "dataset", "config", "revision", "teacher_command", "teacher_curve"),
    *(each.name for each in fields(Reading)),
}
MINE = TrainSettings(
    name="mine",
    dataset="rows.csv",
    encoder="minilm",
    unlabeled="more.csv",
    network=NetworkSettings(cell="gru"),
)


def walk(settings: Any, *, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the way to each field that holds a setting, whatever is declared of it."""
    for field in dataclasses.fields(settings):
        value, here = getattr(settings, field.name), (*path, field.name)
        if dataclasses.is_dataclass(value):
            yield from walk(value, path=here)
        else:
            yield here


def change(settings: Any, path: tuple[str, ...]) -> Any:
    """Return the settings with another value in one field."""
    name, *rest = path
    value = getattr(settings, name)
    kind = get_type_hints(type(settings))[name]
    other = change(value, tuple(rest)) if rest else another(value, kind)
    return dataclasses.replace(settings, **{name: other})


def another(value: Any, kind: Any) -> Any:
    """Return a value of a type that is not this one."""
    if get_origin(kind) is Literal:
        return next(choice for choice in get_args(kind) if choice != value)
    kinds = [each for each in get_args(kind) or [kind] if each is not NoneType]
    samples = {bool: [True, False], int: [4, 5], float: [0.25, 0.5], str: ["this", "that"]}
    return next(sample for sample in samples[kinds[0]] if sample != value)


FIELDS = list(walk(MINE))
DECIDING = [path for path in FIELDS if path[-1] not in LEFT_OUT]


def name_of(path: tuple[str, ...]) -> str:
    return ".".join(path)


@pytest.mark.parametrize("path", DECIDING, ids=name_of)
def test_each_setting_that_decides_is_in_the_record(path: tuple[str, ...]) -> None:
    before, after = MINE.record(), change(MINE, path).record()
    changed = {name for name in before if before[name] != after[name]}
    prefixes = {"pretrain": "pretrain_", "teach": "teach_"}
    assert changed == {prefixes.get(path[0], "") + path[-1]}


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_what_is_left_out_says_why(name: str) -> None:
    assert change(MINE, (name,)).record() == MINE.record()
    assert len(SETTINGS[name].about.left_out) > 20


def test_nothing_else_is_left_out() -> None:
    assert {name for name, each in SETTINGS.items() if each.about.left_out} == LEFT_OUT
    assert len(SETTINGS) == len(FIELDS)  # so no two have one name


def test_what_is_recorded_and_in_which_order() -> None:
    own = (
        "vocabulary max_tokens ngrams subwords class_weight start_from pretrained vectors "
        "encoder teacher unlabeled self_training"
    )
    network = "cell layers units embedding dropout word_dropout"
    fit = "epochs patience batch learning_rate weight_decay adversarial"
    names = f"{own} share seed {network} {fit}".split()
    pretrain = "epochs batch slice negatives learning_rate vocabulary max_tokens seed"
    teach = "epochs batch learning_rate max_tokens seed"
    pretrained = [f"pretrain_{name}" for name in pretrain.split(" ")]
    taught = [f"teach_{name}" for name in teach.split(" ")]
    assert list(MINE.record()) == names + pretrained + taught
    assert list(dataclasses.replace(MINE, unlabeled=None).record()) == names + taught
    assert list(dataclasses.replace(MINE, encoder=None).record()) == names + pretrained


def test_values_by_name_make_settings() -> None:
    values = {
        "name": "mine",
        "dataset": "rows.csv",
        "encoder": "minilm",
        "unlabeled": "more.csv",
        "cell": "gru",
    }
    assert TrainSettings.of(values) == MINE
    made = TrainSettings.of(values | {"pretrain_epochs": 4, "epochs": 2, "seed": 3})
    assert (made.pretrain.epochs, made.fit, made.seed) == (4, FitSettings(epochs=2), 3)
    with pytest.raises(KeyError, match="unit"):
        TrainSettings.of(values | {"unit": 3})


def test_values_by_name_are_all_of_a_record() -> None:
    left_out = {"name": "mine", "dataset": "rows.csv"}
    assert TrainSettings.of(MINE.record() | left_out) == MINE


@pytest.mark.parametrize("declared", SETTINGS.values(), ids=lambda each: each.name)
def test_each_setting_has_help_and_each_number_a_unit(declared: Any) -> None:
    kinds = set(get_args(declared.kind) or [declared.kind])
    assert declared.about.help.strip(". ") == declared.about.help != ""
    assert bool(declared.about.unit) == bool(kinds & {int, float})


@pytest.mark.tensorflow
def test_each_setting_that_decides_is_in_the_identity_of_checkpoints(tmp_path: Path) -> None:
    from tests.training.test_run import make_run, restore, save
    from training.errors import TrainingError

    run = dataclasses.replace(make_run(tmp_path), settings=MINE)
    save(run, epoch=3)
    assert restore(run).epoch == 3
    for path in DECIDING:
        changed = dataclasses.replace(run, settings=change(MINE, path))
        with pytest.raises(TrainingError, match=f"is of another training: .*{path[-1]} was"):
            restore(changed)

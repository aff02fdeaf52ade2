"""Defaults depend on the data, and on the version that a training starts from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.versions import Version
from tests.versions import publish
from training.defaults import (
    CHOSEN,
    USUAL,
    WIDER,
    Origin,
    choose_batch,
    choose_epochs,
    choose_shape,
    complete,
    spells_by_default,
)
from training.errors import TrainingError
from training.settings import FitSettings

NOTHING = {"cell": None, "layers": None, "units": None, "embedding": None}


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """A version of a GRU with one layer of two units."""
    return publish(tmp_path)


def test_the_usual() -> None:
    shape = choose_shape(NOTHING, start=None, pretrains=False)
    assert shape == {"cell": "gru", "layers": 1, "units": 128, "embedding": 128}


def test_more_texts_a_wider_state() -> None:
    assert choose_shape(NOTHING, start=None, pretrains=True)["units"] == 256
    assert choose_shape({**NOTHING, "units": 64}, start=None, pretrains=True)["units"] == 64


def test_what_the_version_has(version: Version) -> None:
    shape = {"cell": "gru", "layers": 1, "units": 2, "embedding": 2}
    assert choose_shape(NOTHING, start=Origin.of(version), pretrains=False) == shape
    asked = {**NOTHING, "cell": "gru"}
    assert choose_shape(asked, start=Origin.of(version), pretrains=False) == shape


def test_another_shape_than_the_version_has(version: Version) -> None:
    with pytest.raises(TrainingError, match="--units 64: the network of toy:1 has 2; leave --uni"):
        choose_shape({**NOTHING, "units": 64}, start=Origin.of(version), pretrains=False)


def test_two_places_to_start(version: Version) -> None:
    with pytest.raises(TrainingError, match="--from and --unlabeled both"):
        choose_shape(NOTHING, start=Origin.of(version), pretrains=True)


@pytest.mark.parametrize(
    ("batches", "one_label", "several_labels"),
    [(1, 30, 30), (40, 25, 25), (300, 4, 6), (500, 2, 6), (1_000_000, 2, 6)],
)
def test_few_rows_are_gone_through_more_often(
    batches: int, one_label: int, several_labels: int
) -> None:
    tokens = 10_000_000
    assert choose_epochs(batches, tokens=tokens, task="single_label") == one_label
    assert choose_epochs(batches, tokens=tokens, task="multi_label") == several_labels


@pytest.mark.parametrize(
    ("batches", "tokens", "epochs"),
    [(2_000, 600_000, 4), (2_000, 1_500_000, 3), (2_000, 4_000_000, 2), (40, 600_000, 25)],
)
def test_many_short_rows_are_gone_through_more_often(
    batches: int, tokens: int, epochs: int
) -> None:
    assert choose_epochs(batches, tokens=tokens, task="single_label") == epochs
    assert choose_epochs(batches, tokens=0, task="single_label") >= 4


def test_words_of_few_texts_are_spelled() -> None:
    assert spells_by_default(3_999_999)
    assert not spells_by_default(4_000_000)


class TestComplete:
    ASKED = dict.fromkeys((*CHOSEN, "unlabeled", "start_from"))

    def test_what_is_said_of_defaults_is_true(self) -> None:
        values = complete(self.ASKED, start=None, budgeted=False)
        # until the rows have been read
        later = ("batch", "epochs", "subwords", "pretrained")
        assert [values[name] for name in later] == [None] * len(later)
        assert CHOSEN["batch"].startswith("32, down to 8 ")
        for name in set(CHOSEN) - {*later, "name"}:
            assert CHOSEN[name].partition(",")[0] == str(values[name])

    def test_what_is_said_of_texts_without_labels_is_true(self, version: Version) -> None:
        asked = {**self.ASKED, "unlabeled": "more.csv"}
        values = complete(asked, start=None, budgeted=True)
        assert f"or {values['units']} with --unlabeled" in CHOSEN["units"]
        assert f"or {values['pretrain_vocabulary']} where --unlabeled" in CHOSEN["vocabulary"]
        assert f"or {values['learning_rate']} with --unlabeled" in CHOSEN["learning_rate"]
        assert f"or {values['self_training']} with --time-budget" in CHOSEN["self_training"]
        started = complete(self.ASKED, start=Origin.of(version), budgeted=True)
        assert started["learning_rate"] == values["learning_rate"]
        assert started["start_from"] == "toy:1"
        assert started["self_training"] == 0

    def test_what_was_asked_for_stays(self) -> None:
        asked = {"units": 64, "learning_rate": 0.5, "self_training": 0, "pretrain_epochs": 7}
        asked |= {"vocabulary": 500}
        given = {**self.ASKED, "unlabeled": "more.csv", **asked}
        values = complete(given, start=None, budgeted=True)
        assert {name: values[name] for name in asked} == asked
        assert values["pretrain_vocabulary"] == 500


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, None),
        ({"pretrained": True}, True),
        ({"pretrained": False}, False),
        ({"vectors": "v.txt"}, False),
        ({"subwords": True}, False),
        ({"subwords": False}, None),
        ({"unlabeled": "u.csv"}, False),
        ({"unlabeled": "u.csv", "encoder": "e"}, None),
        ({"encoder": "e", "pretrained": False}, False),
    ],
)
def test_the_shipped_network_is_one_start_of_several(
    asked: dict[str, Any], expected: bool | None
) -> None:
    values = complete(TestComplete.ASKED | asked, start=None, budgeted=False)
    assert values["pretrained"] is expected


@pytest.mark.parametrize("other", [{"vectors": "v.txt"}, {"unlabeled": "u.csv"}])
def test_the_shipped_network_beside_another_start_is_refused(other: dict[str, str]) -> None:
    with pytest.raises(TrainingError, match=f"--pretrained and --{next(iter(other))}.* both say"):
        complete(TestComplete.ASKED | {"pretrained": True} | other, start=None, budgeted=False)


def test_a_version_is_a_start_of_its_own(version: Version) -> None:
    values = complete(TestComplete.ASKED, start=Origin.of(version), budgeted=False)
    assert values["pretrained"] is False
    with pytest.raises(TrainingError, match="--pretrained and --from both say"):
        asked = TestComplete.ASKED | {"pretrained": True}
        complete(asked, start=Origin.of(version), budgeted=False)


def test_a_network_without_labels_gives_shape_and_rate() -> None:
    origin = Origin("mine", {"cell": "lstm", "layers": 1, "units": 3, "embedding": 4}, 0.002)
    values = complete(TestComplete.ASKED, start=origin, budgeted=False)
    assert (values["cell"], values["units"], values["embedding"]) == ("lstm", 3, 4)
    assert (values["start_from"], values["learning_rate"]) == ("mine", 0.002)
    assert values["pretrained"] is False
    values = complete(TestComplete.ASKED, start=replace(origin, folder="runs/mine"), budgeted=False)
    assert values["start_from"] == "runs/mine"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"vectors": "v.txt", "unlabeled": "u.csv"}, "--vectors and --unlabeled both say"),
        ({"vectors": "v.txt", "encoder": "e"}, "--vectors and --encoder both say"),
    ],
)
def test_two_starts_are_refused(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(TrainingError, match=told):
        complete(TestComplete.ASKED | asked, start=None, budgeted=False)


def test_an_encoder_needs_no_wider_network() -> None:
    asked = TestComplete.ASKED | {"encoder": "e", "unlabeled": "u.csv"}
    assert complete(asked, start=None, budgeted=False)["units"] == 128


class TestTeacher:
    """A teacher labels the texts of --unlabeled; nothing else is learned from them."""

    def complete(self, **asked: Any) -> dict[str, Any]:
        return complete(TestComplete.ASKED | asked, start=None, budgeted=False)

    @pytest.mark.parametrize("named", [{"teacher": "big"}, {"teacher_command": "python l.py"}])
    def test_no_language_model(self, named: dict[str, str]) -> None:
        found = self.complete(unlabeled="u.csv", **named)
        assert found["pretrain_epochs"] == 0
        assert found["units"] == USUAL["units"]
        assert found["learning_rate"] == FitSettings.learning_rate
        assert found["pretrained"] is None
        assert found["self_training"] == 0

    def test_but_where_it_is_asked_for(self) -> None:
        found = self.complete(unlabeled="u.csv", teacher="big", pretrain_epochs=2)
        assert (found["pretrain_epochs"], found["pretrained"]) == (2, False)
        assert found["units"] == WIDER["units"]

    def test_no_self_training_in_a_time_budget(self) -> None:
        asked = TestComplete.ASKED | {"unlabeled": "u.csv", "teacher": "big"}
        assert complete(asked, start=None, budgeted=True)["self_training"] == 0

    def test_two_teachers(self) -> None:
        with pytest.raises(TrainingError, match="both name a teacher"):
            self.complete(teacher="big", teacher_command="python l.py")
        with pytest.raises(TrainingError, match="--self-training both label texts"):
            self.complete(teacher="big", unlabeled="u.csv", self_training=1)


@pytest.mark.parametrize(
    ("rows", "several"),
    [(10, 8), (270, 8), (300, 8), (500, 8), (700, 16), (1_100, 32), (43_000, 32)],
)
def test_few_rows_with_several_labels_have_small_steps(rows: int, several: int) -> None:
    assert choose_batch(rows, task="multi_label") == several
    assert choose_batch(rows, task="single_label") == 32

"""Wherever the process of a study is killed, what ended is kept and the rest is tried again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
import pytest

from tests.training.tuning.trials import VALUES
from training.errors import TrainingError
from training.tuning.space import SPACE
from training.tuning.study import DEFAULTS, JOURNAL, MOST_RETRIES, RETRIES, claim, open_study

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

COMPLETE, PRUNED, FAIL, RUNNING, WAITING = (
    getattr(optuna.trial.TrialState, name)
    for name in ("COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING")
)


def reopen(folder: Path, *, cell: str = "gru", seed: int = 1) -> "Study":
    return open_study(folder, identity={"cell": cell, "train": "abc"}, start=VALUES, seed=seed)


def fill(folder: Path) -> bytes:
    """Make a study with a trial of each ending, the last one running; return its journal."""
    study = reopen(folder)
    for number in range(4):
        trial = study.ask(SPACE)
        trial.report(0.5 + number / 10, 1)
        if number < 2:
            study.tell(trial, 0.5 + number / 10)
        elif number == 2:
            study.tell(trial, state=PRUNED)
    return (folder / JOURNAL).read_bytes()


def cuts(journal: bytes) -> Iterator[bytes]:
    """Yield what may be left of a journal: all of some lines, and perhaps half of the next."""
    lines = journal.splitlines(keepends=True)
    for number in range(len(lines) + 1):
        yield b"".join(lines[:number])
        if number < len(lines):
            yield b"".join(lines[:number]) + lines[number][: len(lines[number]) // 2]


def count_ended(journal: bytes) -> int:
    """Return how many trials have a result or were pruned, by the whole lines of a journal."""
    lines = map(json.loads, journal[: journal.rfind(b"\n") + 1].splitlines())
    return sum(line.get("state") in (COMPLETE.value, PRUNED.value) for line in lines)


def pending_defaults(study: "Study") -> list["FrozenTrial"]:
    return [
        trial
        for trial in study.trials
        if trial.user_attrs.get(DEFAULTS) and trial.state in (COMPLETE, WAITING)
    ]


def test_a_new_study_begins_with_the_defaults(tmp_path: Path) -> None:
    trial = reopen(tmp_path).ask(SPACE)
    assert (trial.number, trial.params, trial.user_attrs[DEFAULTS]) == (0, VALUES, True)


def test_the_same_seed_tries_the_same(tmp_path: Path) -> None:
    def try_two(name: str, seed: int) -> list[dict[str, object]]:
        study = reopen(tmp_path / name, seed=seed)
        return [study.ask(SPACE).params for _ in range(3)][1:]

    assert try_two("one", 1) == try_two("another", 1) != try_two("a third", 2)


@pytest.mark.medium
def test_cut_short_at_any_point_it_goes_on(tmp_path: Path) -> None:
    journal = fill(tmp_path / "whole")
    for number, rest in enumerate(cuts(journal)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / JOURNAL).write_bytes(rest)
        (folder / f"{JOURNAL}.lock").touch()
        for _ in range(1 + number % 2):  # the second time there is nothing left to be done
            study = reopen(folder)
            assert len(pending_defaults(study)) == 1
            assert study.get_trials(states=(RUNNING,)) == []
        assert len(study.get_trials(states=(COMPLETE, PRUNED))) == count_ended(rest)
        assert study.ask(SPACE).params.keys() == SPACE.keys()


def test_what_ended_is_kept_and_what_did_not_is_tried_again(tmp_path: Path) -> None:
    fill(tmp_path)
    before = reopen(tmp_path).trials
    assert [trial.state for trial in before] == [COMPLETE, COMPLETE, PRUNED, FAIL, WAITING]
    again = reopen(tmp_path).ask(SPACE)
    assert again.params == before[3].params
    assert not again.user_attrs[DEFAULTS]


def test_a_trial_in_which_the_process_always_dies_is_given_up(tmp_path: Path) -> None:
    reopen(tmp_path).ask(SPACE)  # the defaults, which never are
    for _ in range(MOST_RETRIES + 2):
        study = reopen(tmp_path)
        assert len(pending_defaults(study)) == 1
        defaults, other = study.ask(SPACE), study.ask(SPACE)
        assert defaults.user_attrs[DEFAULTS]
    assert other.user_attrs.get(RETRIES, 0) < MOST_RETRIES


def test_a_study_of_something_else_is_refused(tmp_path: Path) -> None:
    journal = fill(tmp_path)
    with pytest.raises(TrainingError, match="cell was 'gru' and is 'lstm'; give the same options"):
        reopen(tmp_path, cell="lstm")
    assert (tmp_path / JOURNAL).read_bytes() == journal


def test_two_processes_do_not_share_a_study(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="there are no such locks here")
    with (
        pytest.raises(TrainingError, match="another process is tuning in .*mine"),
        claim(tmp_path / "mine"),
        claim(tmp_path / "yours"),
        claim(tmp_path / "mine"),
    ):
        pytest.fail("it was claimed twice")
    with claim(tmp_path / "mine"):
        pass

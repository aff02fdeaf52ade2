"""Costs are found again from what a process with them would show."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

import benchmarks.fleet.rounds
from benchmarks.fleet import calibration
from benchmarks.fleet.calibration import account, calibrate, simulate_loop
from benchmarks.fleet.check import is_sound
from benchmarks.fleet.costs import Costs
from benchmarks.fleet.loops import ALONE, CLOSED, DOCUMENTS, LOOPS
from benchmarks.fleet.rounds import _calibrate
from benchmarks.fleet.traffic import Lengths
from benchmarks.fleet.warmth import PAUSE, Warmth
from benchmarks.serving.results import Record
from service.answering.tokenizing import INLINE_CHARS
from service.engines.cost import Cost

ENGINE = Cost(call=8e-5, step=3.3e-6, text=2.6e-6, padded=False)
REAL = Costs(
    planned=ENGINE,
    engine=Cost(call=1e-4, step=4.1e-6, text=3.25e-6, padded=False),
    turn=4e-5,
    request=3.4e-4,
    char=1e-7,
    thread_char=2e-7,
    handover=2e-4,
    slice=8e-5,
    piece=5e-5,
    resume=6e-5,
    cold=5e-4,
    cold_slice=2e-4,
    waking=1e-4,
    wire=5e-5,
    loop_power=1.2,
)
SHORT = tuple(replace(loop, seconds=0.4) for loop in LOOPS)
LENGTHS: dict[str, Lengths] = {
    "sentences": [(tokens, 5 * tokens) for tokens in (4, 8, 12, 20, 40)],
    "reviews": [(tokens, 5 * tokens) for tokens in (40, 120, 180, 220, 300, 500, 900)],
    "documents": [(2_000, INLINE_CHARS + 1_000)],
}


def observe(costs: Costs, *, seed: int) -> Record:
    """Return what loops over a process with some costs show."""
    loops: Record = {}
    for loop in SHORT:
        slowness = [1.0 + 0.4 * (seed % 2)]
        how = {"seed": seed, "slowness": slowness, "client": 5e-5, "due_rate": loop.rate or 80}
        seen = simulate_loop(costs, loop, how, LENGTHS)
        taken = seen.seconds * 1e3
        used = seen.used
        loops[loop.name] = how | {
            "requests": used.requests,
            "seconds": float(np.max(seen.due + seen.seconds)),
            "cpu": {"loop": used.loop, "compute": used.compute, "other": used.other},
            "stalls": [],
            "percentiles": {"50.0": float(np.median(taken))},
        }
    return loops


@pytest.mark.slow
def test_a_process_with_the_found_costs_takes_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "LOOPS", SHORT)
    rounds = [observe(REAL, seed=seed) for seed in (1, 2)]
    found = calibrate(rounds, LENGTHS, engine=ENGINE, char=REAL.char)
    for loop in SHORT:
        again = simulate_loop(found, loop, rounds[0][loop.name], LENGTHS).used
        seen = rounds[0][loop.name]
        taken = account({"loop": again.loop, "compute": again.compute}, again.requests)
        assert taken == pytest.approx(account(seen["cpu"], seen["requests"]), rel=0.08, abs=2e-5)
    assert found.engine.text == pytest.approx(REAL.engine.text, rel=0.1)
    assert found.request == pytest.approx(REAL.request, rel=0.15)
    assert found.wire < 3e-4


@pytest.mark.medium
def test_a_long_text_is_tokenized_by_a_thread() -> None:
    [loop] = [each for each in SHORT if each.kind == DOCUMENTS.kind]
    how = {"seed": 0, "slowness": [1.0], "client": 5e-5}
    used = simulate_loop(REAL, loop, how, LENGTHS).used
    chars = LENGTHS["documents"][0][1]
    assert used.other / used.requests == pytest.approx(chars * REAL.thread_char, rel=1e-6)
    short = simulate_loop(REAL, CLOSED[0], how, LENGTHS).used
    assert short.other == 0


@pytest.mark.medium
def test_a_slow_client_leaves_the_process_more_time() -> None:
    how = {"seed": 0, "slowness": [1.0]}
    fast, slow = (
        simulate_loop(REAL, ALONE, how | {"client": client}, LENGTHS).used.requests
        for client in (0.0, 2e-3)
    )
    assert slow < 0.5 * fast


def seen(*, stolen: float = 0.0, late: float = 0.0) -> Record:
    return {"stolen": stolen, "late_p99": late, "seconds": 2.0}


class TestDisturbed:
    """What was measured while something else had the cores counts for nothing."""

    def test_late_requests_and_stolen_time_tell(self) -> None:
        assert is_sound(seen(stolen=0.002, late=0.2))
        assert not is_sound(seen(stolen=0.1))
        assert not is_sound(seen(late=1.5))

    def test_it_is_measured_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rounds = iter([{"alone": seen(stolen=0.5)}, {"alone": seen()}])
        monkeypatch.setattr(benchmarks.fleet.rounds, "measure_loops", lambda *_, **__: next(rounds))
        console = Console(file=io.StringIO())
        assert _calibrate(SimpleNamespace(), {}, seed=0, console=console) == {"alone": seen()}

    def test_not_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        always = {"alone": seen(stolen=0.5)}
        monkeypatch.setattr(benchmarks.fleet.rounds, "measure_loops", lambda *_, **__: always)
        with pytest.raises(SystemExit, match="something else had the cores"):
            _calibrate(SimpleNamespace(), {}, seed=0, console=Console(file=io.StringIO()))


class TestWarmth:
    def test_what_was_forgotten_is_learnt_once(self) -> None:
        warmth = Warmth(REAL)
        assert warmth.turn(1.0) == 0.0
        assert warmth.pause(PAUSE) == pytest.approx(REAL.waking)
        assert warmth.turn(1.0) == pytest.approx(REAL.cold)
        assert warmth.turn(1.0) == pytest.approx(0.0)
        assert warmth.slice(1.0) == pytest.approx(REAL.cold_slice)

    def test_short_work_leaves_some_for_later(self) -> None:
        warmth = Warmth(REAL)
        warmth.pause(PAUSE)
        parts = [warmth.turn(REAL.learning / 2) for _ in range(20)]
        assert parts == sorted(parts, reverse=True)
        assert sum(parts) == pytest.approx(REAL.cold, rel=1e-3)

    def test_a_longer_pause_costs_more_up_to_an_end(self) -> None:
        def cold(seconds: float) -> float:
            warmth = Warmth(REAL)
            warmth.pause(seconds)
            return warmth.turn(1.0)

        costs = [cold(seconds) for seconds in (1e-4, 1e-3, PAUSE, 0.1, 1.0)]
        assert costs[0] < costs[1] < costs[2] < costs[3] == costs[4]

    def test_two_pauses_add_up_if_nothing_was_done_between(self) -> None:
        once, twice = Warmth(REAL), Warmth(REAL)
        once.pause(2e-3)
        twice.pause(1e-3)
        twice.pause(1e-3)
        assert twice.turn(1.0) == pytest.approx(once.turn(1.0))

"""Versions on trial are compared while requests are answered, and what is decided is done."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.batching import Row
from models.golden import Probabilities
from models.registry import LABELS_LOCK, Store
from models.steering import give_label, take_label
from models.versions import Version
from service.answering import entry as loading_versions
from service.answering.answerer import Answered, Caller
from service.answering.catalog import Catalog
from service.engines import loading as opening
from service.engines.cost import Cost
from service.errors import DeadlinePassed
from service.metrics import DIRECTORY
from service.rollout import copies, rollouts, rule
from service.rollout.evidence import Evidence
from service.scheduling.jobs import Reading
from service.settings import Settings
from service.web.app import create_app
from tests.versions import CountingEngine, publish

pytestmark = pytest.mark.medium

LONG = 30.0  # seconds; no test takes so long
_numbers = itertools.count()


class TroubledEngine(CountingEngine):
    """Fails or dawdles from when it is told to, so after it was checked."""

    def __init__(self) -> None:
        self.fails = False
        self.seconds = 0.0

    def step(self, rows: Sequence[Row], state: Any) -> tuple[Probabilities, Any]:
        if self.fails:
            raise RuntimeError("poisoned")
        time.sleep(self.seconds)
        return super().step(rows, state)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> dict[int, TroubledEngine]:
    """The engine of each version, by its number."""
    engines: dict[int, TroubledEngine] = {}

    def load(version: Version, **_: Any) -> TroubledEngine:
        return engines.setdefault(version.number, TroubledEngine())

    monkeypatch.setattr(opening, "load_engine", load)
    return engines


def make_store(root: Path, *, swapped: bool = False) -> Store:
    """Return a store with a stable version and a second one, whose labels may be swapped."""
    figures = {"metrics": {"test": {"accuracy": 0.95, "rows": 10_000.0}}}
    publish(root, **figures)
    publish(root, labels=("pos", "neg") if swapped else ("neg", "pos"), **figures)
    store = Store(root)
    give_label(store, store.resolve("toy:1"), "stable")
    return store


def give(store: Store, **parts: float) -> None:
    give_label(store, store.resolve("toy:2"), "canary", **parts)


class Service:
    """A service that looks at the store all the time."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.state = client.app.state.service

    def ask(self, **question: Any) -> tuple[int, Any]:
        """Ask for a text that was not asked for before."""
        words = f"a good film {next(_numbers)}"
        answer = self.client.post("/predict", json={"text": words} | question)
        return answer.status_code, answer.json()

    @property
    def rollouts(self) -> list[dict[str, Any]]:
        return self.client.get("/models/toy").json().get("rollouts", [])

    @property
    def evidence(self) -> Evidence:
        (standing,) = self.state.rollouts.standings
        return standing.evidence

    def ask_until(self, done: Callable[[], bool]) -> list[tuple[int, Any]]:
        answers = []
        end = time.monotonic() + LONG
        while not done():
            assert time.monotonic() < end, self.rollouts
            answers.append(self.ask())
        return answers

    def wait_until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + LONG
        while not done():
            assert time.monotonic() < end, self.rollouts
            time.sleep(0.01)


@contextmanager
def serving(store: Store, **settings: Any) -> Iterator[Service]:
    app = create_app(Settings(store=store.root, poll_seconds=0.01, threads=2, **settings))
    app.state.service.catalog.refresh()
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Service(client)


@pytest.fixture(autouse=True)
def decide_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollouts, "PAUSE", 0)
    monkeypatch.setattr(rule, "MOST_ERRORS", 0.1)  # else it takes 400 requests


@pytest.mark.parametrize("parts", [{"share": 0.5}, {"shadow": 0.5}])
def test_a_bad_canary_loses_its_label(
    parts: dict[str, float], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store(tmp_path, swapped=True)
    give(store, **parts)
    with serving(store) as service:
        service.ask_until(lambda: store.labels("toy").versions == {"stable": 1})
        service.wait_until(lambda: len(service.rollouts) == 1 and "at" in service.rollouts[0])
        assert service.ask()[1]["version"] == 1
        (told,) = service.rollouts
        metrics = service.client.get("/metrics").text
    assert (told["verdict"], told["version"], told["stable"]) == ("rolled_back", 2, 1)
    assert "it flips 100.0% of the labels" in told["why"]
    assert told["figures"]["texts_flipped"] == told["figures"]["texts"] >= 3
    (verdict,) = store.labels("toy").verdicts
    assert (verdict.outcome, verdict.why) == ("rolled_back", told["why"])
    lines = [line for line in caplog.messages if "toy:2 (canary) is rolled back" in line]
    assert len(lines) == 1
    assert "flip_share 1" in lines[0]
    series = 'gatewise_rollout_verdict_timestamp_seconds{label="canary",model="toy",stable="1",'
    assert series in metrics


def test_two_labels_of_one_version_have_series_of_their_own(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    give(store, share=0.5)
    give_label(store, store.resolve("toy:2"), "beta", shadow=0.5)
    with serving(store) as service:
        service.ask_until(lambda: sum(each["figures"]["requests"] for each in service.rollouts) > 3)
        lines = service.client.get("/metrics").text.splitlines()
    series = [line.rpartition(" ")[0] for line in lines if line.startswith("gatewise_rollout_")]
    assert len(series) == len(set(series)) > 8
    assert {'label="beta"' in line for line in series} == {True, False}


def test_a_good_canary_is_promoted_where_that_is_asked_for(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    give(store, shadow=1.0)
    with serving(store, rollout="promote", rollout_slower=1_000) as service:
        service.ask_until(lambda: store.labels("toy").versions == {"stable": 2})
        service.wait_until(lambda: service.ask()[1]["version"] == 2)
        assert service.rollouts[0]["verdict"] == "promoted"


@pytest.mark.parametrize(
    ("mode", "swapped", "verdict"),
    [("watch", True, "roll_back"), ("rollback", False, "promote")],
)
def test_what_is_not_asked_for_is_only_said(
    mode: str, swapped: bool, verdict: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store(tmp_path, swapped=swapped)
    give(store, shadow=1.0)
    caplog.set_level("INFO")
    with serving(store, rollout=mode, rollout_slower=1_000) as service:
        service.ask_until(lambda: service.rollouts[0]["verdict"] == verdict)
        service.wait_until(lambda: any(f"toy:2: {verdict}?" in each for each in caplog.messages))
        assert service.rollouts[0]["shadow"] == 1.0
    assert store.labels("toy").versions == {"stable": 1, "canary": 2}
    assert store.labels("toy").verdicts == ()


def test_a_canary_that_fails_is_rolled_back(
    engines: dict[int, TroubledEngine], tmp_path: Path
) -> None:
    store = make_store(tmp_path)
    give(store, share=0.5)
    with serving(store) as service:
        engines[2].fails = True
        answers = service.ask_until(lambda: store.labels("toy").versions == {"stable": 1})
        failed = [status for status, _ in answers].count(500)
        assert 8 <= failed < 30
        service.wait_until(lambda: "at" in service.rollouts[0])
        assert "that only one version failed, it failed" in service.rollouts[0]["why"]


def test_a_shadow_that_fails_fails_no_request(
    engines: dict[int, TroubledEngine], tmp_path: Path
) -> None:
    store = make_store(tmp_path)
    give(store, shadow=1.0)
    with serving(store) as service:
        engines[2].fails = True
        answers = service.ask_until(lambda: store.labels("toy").versions == {"stable": 1})
        assert {status for status, _ in answers} == {200}


def test_a_text_that_both_versions_fail_is_held_against_none(
    engines: dict[int, TroubledEngine], tmp_path: Path
) -> None:
    store = make_store(tmp_path)
    give(store, shadow=1.0)
    with serving(store) as service:
        engines[1].fails = engines[2].fails = True
        service.ask_until(lambda: service.evidence.requests >= 30)
        assert service.evidence.canary_failed == service.evidence.stable_failed == 0
        engines[1].fails = engines[2].fails = False


def test_a_slow_canary_is_rolled_back(
    engines: dict[int, TroubledEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "TIMED", 1)
    store = make_store(tmp_path)
    give(store, shadow=1.0)
    with serving(store) as service:
        engines[2].seconds = 0.05
        service.ask_until(lambda: store.labels("toy").versions == {"stable": 1})
        service.wait_until(lambda: "at" in service.rollouts[0])
        (told,) = service.rollouts
        assert "it took more than 3 times as long" in told["why"]
        # Each request has one vote; in the sums one slow answer of the stable version weighs much.
        assert told["figures"]["slower"] > told["figures"]["timed"] / 2
        assert told["figures"]["times_as_long"] > 1


@pytest.mark.parametrize("slow", [1, 2])
def test_a_canary_whose_answers_all_come_too_late_is_rolled_back(
    slow: int, engines: dict[int, TroubledEngine], tmp_path: Path
) -> None:
    """Those of the stable version may, and are held against nobody."""
    store = make_store(tmp_path)
    give(store, share=0.5)
    with serving(store, deadline_ms=20) as service:
        service.wait_until(lambda: len(engines) == 2)
        engines[slow].seconds = 0.1
        if slow == 2:
            service.ask_until(lambda: store.labels("toy").versions == {"stable": 1})
            assert "it took more than 3 times as long" in service.rollouts[0]["why"]
        else:
            service.ask_until(lambda: service.evidence.timed >= 10)
            assert service.evidence.slower == 0
            assert store.labels("toy").versions == {"stable": 1, "canary": 2}


@pytest.mark.parametrize("swapped", [True, False])
def test_where_the_store_cannot_be_written_the_service_decides_for_itself(
    swapped: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store(tmp_path, swapped=swapped)
    give(store, share=0.9)
    (tmp_path / "toy" / LABELS_LOCK).mkdir()  # so that root cannot make the lock either
    verdict, answers = ("rolled_back", 1) if swapped else ("promoted", 2)
    with serving(store, rollout="promote", rollout_slower=1_000) as service:
        service.ask_until(lambda: service.rollouts[0]["verdict"] == verdict)
        assert {service.ask()[1]["version"] for _ in range(30)} == {answers}
        assert service.ask(version="canary")[1]["version"] == 2
        service.wait_until(lambda: "only this service holds to it" in caplog.text)
        told = service.client.get("/models/toy").json()
        assert told["version_labels"] == {"stable": 1, "canary": 2}
        assert (told["rollouts"][0]["share"], len(told["rollouts"])) == (0.9, 1)
        assert f'verdict="{verdict}"' in service.client.get("/metrics").text
        time.sleep(0.2)  # many looks at the store
        assert caplog.text.count("only this service holds to it") == 1

        (tmp_path / "toy" / LABELS_LOCK).rmdir()  # now it can
        expected = {"stable": answers}
        service.wait_until(lambda: store.labels("toy").versions == expected)


def test_the_same_canary_given_again_is_judged_anew(tmp_path: Path) -> None:
    store = make_store(tmp_path, swapped=True)
    give(store, shadow=1.0)
    (tmp_path / "toy" / LABELS_LOCK).mkdir()
    with serving(store) as service:
        service.ask_until(lambda: service.rollouts[0]["verdict"] == "rolled_back")
        (tmp_path / "toy" / LABELS_LOCK).rmdir()
        service.wait_until(lambda: store.labels("toy").versions == {"stable": 1})
        give(store, shadow=1.0)
        service.wait_until(lambda: service.rollouts[0]["verdict"] == "wait")
        assert service.evidence.requests == 0


def test_a_label_that_has_moved_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path, swapped=True)
    publish(tmp_path, metrics={"test": {"accuracy": 0.95, "rows": 10_000.0}})
    give(store, shadow=1.0)
    with serving(store) as service:
        with monkeypatch.context() as patch:
            patch.setattr(Catalog, "look", lambda _: None)  # it has not seen the move yet
            give_label(store, store.resolve("toy:3"), "canary")
            service.ask_until(lambda: service.rollouts[0]["verdict"] == "rolled_back")
            time.sleep(0.2)
            assert store.labels("toy").versions == {"stable": 1, "canary": 3}
            assert store.labels("toy").verdicts == ()
        service.wait_until(lambda: service.rollouts[0]["verdict"] == "wait")
        assert service.rollouts[0]["version"] == 3


def test_overload_drops_comparisons_and_no_answer(
    engines: dict[int, TroubledEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While all threads are busy nothing is compared, and each request is answered."""
    alone = Cost(call=0.0, step=0.0, text=1e-3)  # of an engine that saves nothing in company
    monkeypatch.setattr(loading_versions, "measure_cost", lambda *_: alone)
    store = make_store(tmp_path)
    give(store, shadow=1.0)
    with serving(store, deadline_ms=60_000) as service:
        state, catalog = service.state, service.state.catalog
        engines[1].seconds = 0.02

        async def ask_all() -> list[float]:
            requests = [
                state.rollouts.answer(
                    catalog.choose("toy", version=None, request=b"%d" % n),
                    [f"a good film {n}"],
                    caller=Caller(),
                )
                for n in range(60)
            ]
            return [float(each.result(0)[1]) for each in await asyncio.gather(*requests)]

        answers = service.client.portal.call(ask_all)
        assert len(answers) == 60
        assert min(answers) > 0.5
        service.wait_until(lambda: service.evidence.requests + service.evidence.dropped == 60)
        assert service.evidence.dropped > 30
        engines[1].seconds = 0.0


def test_what_a_client_repeats_has_one_vote(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    give(store, shadow=1.0)
    with serving(store) as service:
        for _ in range(5):
            service.ask(text="a probe")
        service.ask(text="another probe")
        service.wait_until(lambda: service.evidence.requests == 2)
        assert service.evidence.stable_answers == 6


def test_a_request_with_many_texts_has_one_vote(tmp_path: Path) -> None:
    store = make_store(tmp_path, swapped=True)
    give(store, shadow=1.0)
    with serving(store, rollout="watch") as service:
        texts = [f"a good film {n}" for n in range(copies.MOST_TEXTS + 8)]
        answer = service.client.post("/predict", json={"texts": texts}).json()
        assert len(answer["predictions"]) == len(texts)
        service.wait_until(lambda: service.evidence.requests == 1)
        assert (service.evidence.votes, service.evidence.flips) == (1, 1)
        assert service.evidence.texts == copies.MOST_TEXTS


@pytest.mark.parametrize(
    "question", [{"version": 1}, {"version": "canary"}, {"explain": True}, {"model": "toy:stable"}]
)
def test_other_requests_are_not_compared(question: dict[str, Any], tmp_path: Path) -> None:
    store = make_store(tmp_path)
    give(store, shadow=1.0)
    with serving(store) as service:
        assert service.ask(**question)[0] == 200
        service.ask()
        service.wait_until(lambda: service.evidence.requests == 1)


def answer(service: Service, **more: Any) -> Answered:
    """Have the service answer a request past its routes."""
    choice = service.state.catalog.choose("toy", version=None, request=b"1")

    async def ask() -> Answered:
        found: Answered = await service.state.rollouts.answer(
            choice, ["a good film"], **{"caller": Caller()} | more
        )
        return found

    return service.client.portal.call(ask)


def test_an_early_exit_is_not_compared(tmp_path: Path) -> None:
    """For the other version would stop elsewhere."""
    store = make_store(tmp_path)
    give(store, shadow=1.0)
    with serving(store) as service:
        answer(service, plan=lambda rows: [Reading(row[:1]) for row in rows])
        assert service.evidence.stable_answers == 1
        service.ask()
        service.wait_until(lambda: service.evidence.requests == 1)


def test_a_request_that_was_rejected_says_nothing_of_a_version(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    give(store, shadow=1.0)
    with serving(store) as service:
        with pytest.raises(DeadlinePassed):
            answer(service, caller=Caller(seconds=0.0))
        service.ask()
        service.wait_until(lambda: service.evidence.requests == 1)
        assert service.evidence.stable_failed == 0


@pytest.mark.parametrize("parts", [{"share": 0.99}, {"shadow": 1.0}])
def test_a_tokenizer_that_fails_counts_as_an_error(
    parts: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_text: str) -> list[int]:
        raise RuntimeError("a pattern that fails")

    store = make_store(tmp_path)
    give(store, **parts)
    with serving(store) as service:
        (trial,) = service.state.catalog.trials
        monkeypatch.setattr(trial.canary, "encode", fail)
        service.ask_until(lambda: service.evidence.canary_failed >= 2)
        assert service.evidence.stable_failed == 0


def test_a_long_request_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "MOST_CHARS", 40)
    store = make_store(tmp_path)
    give(store, shadow=1.0)
    with serving(store) as service:
        assert service.ask(text="a good film " * 4)[0] == 200
        assert (service.evidence.requests, service.evidence.dropped) == (0, 1)


def test_what_another_worker_decides_holds_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both count in one folder; the second one answers nothing, and follows."""
    monkeypatch.setenv(DIRECTORY, str(tmp_path / "counts"))
    monkeypatch.setattr("service.metrics.MultiProcessCollector", lambda _: None)
    store = make_store(tmp_path / "store", swapped=True)
    give(store, shadow=1.0)
    (store.root / "toy" / LABELS_LOCK).mkdir()
    with serving(store) as one, serving(store) as other:
        one.ask_until(lambda: one.rollouts[0]["verdict"] == "rolled_back")
        other.wait_until(lambda: other.rollouts[0]["verdict"] == "rolled_back")
        assert one.rollouts == other.rollouts


def test_the_operator_may_tolerate_more(tmp_path: Path) -> None:
    store = make_store(tmp_path, swapped=True)
    give(store, shadow=1.0)
    with serving(store, rollout_flips=0.999) as service:
        service.ask_until(lambda: service.evidence.requests >= 30)
        assert service.rollouts[0]["figures"]["tolerated"] == 0.999
        assert store.labels("toy").versions == {"stable": 1, "canary": 2}


def test_a_label_that_is_taken_away_ends_its_trial(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    give(store, share=0.5)
    with serving(store) as service:
        assert len(service.rollouts) == 1
        take_label(store, "toy", "canary")
        service.wait_until(lambda: not service.rollouts)
        assert service.ask()[1]["version"] == 1

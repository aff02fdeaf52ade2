"""A fleet is planned from what was measured, and the load that measures hides nothing."""

import json
import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.fleet.__main__ import app
from benchmarks.fleet.kept import MEASURED, Measured, shorten
from benchmarks.fleet.limits import list_limits
from benchmarks.fleet.load import Load
from benchmarks.fleet.load import Plan as Asked
from benchmarks.fleet.machine import find_stalls, summarize
from benchmarks.fleet.report import describe_fleets, describe_limits, memory_megabytes
from benchmarks.fleet.sizing import MOST_BUSY, Sized, Wanted, size

pytestmark = pytest.mark.medium

HELD_UP = 0.4  # seconds
FACTS = {
    "ready_seconds": 2.0,
    "megabytes": 80.0,
    "megabytes_of_workers": 130.0,
    "workers": 2,
    "version_bytes": 9_000_000,
    "series": 300,
    "log_bytes_a_request": 0.0,
    "bytes": {"sentences": {"asked": 200.0, "answered": 300.0}},
}


@pytest.fixture(scope="module")
def measured() -> Measured:
    return Measured.read(MEASURED)


@pytest.fixture
def slow_server() -> Iterator[int]:
    """Give the port of a server that is held up once, while it has the first request."""
    listener = socket.create_server(("127.0.0.1", 0))
    answered = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65_536):
                if not answered.is_set():
                    time.sleep(HELD_UP)
                    answered.set()
                answered.wait()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def test_requests_that_are_due_while_the_server_is_held_up_count_from_then(
    slow_server: int,
) -> None:
    due = [0.0, 0.1, 0.2, 0.3]
    plan = Asked(port=slow_server, bodies=["{}"], order=[0] * len(due), due=due)
    rows = Load(plan).run()
    taken = rows[:, 2] - rows[:, 0]
    assert list(rows[:, 3]) == [200] * len(due)
    for when, seconds in zip(due, taken, strict=True):
        assert seconds >= HELD_UP - when


def test_a_closed_loop_asks_one_after_the_other(slow_server: int) -> None:
    plan = Asked(
        port=slow_server, bodies=["{}"], order=[0], due=[], connections=1, seconds=HELD_UP + 0.2
    )
    rows = Load(plan).run()
    assert len(rows) > 2
    assert np.all(rows[1:, 1] >= rows[:-1, 2])


def test_figures_of_requests_are_those_of_answers() -> None:
    rows = np.array([[0.0, 0.0, 0.010, 200], [1.0, 1.0, 1.030, 200], [2.0, 2.0, 2.5, 429]])
    seen = summarize(rows)
    assert seen["statuses"] == {"200": 2, "429": 1}
    assert seen["rate"] == pytest.approx(2 / 2.5)
    assert seen["mean"] == pytest.approx(20)


def test_stalls_are_late_answers_and_no_slow_seconds() -> None:
    taken = np.concatenate([np.full(500, 1e-3), np.full(500, 2e-3)])
    assert find_stalls(taken) == []
    taken[[100, 700]] += 5e-3
    assert find_stalls(taken) == pytest.approx([5e-3, 5e-3])


def test_what_was_measured_can_be_read_again(measured: Measured) -> None:
    assert measured.costs.of(measured.costs.record()) == measured.costs
    assert all(len(lengths) == len(shorten(lengths)) for lengths in measured.lengths.values())
    assert {each.kind for each in measured.compared} == set(measured.lengths)


@pytest.fixture(scope="module")
def small(measured: Measured) -> Sized:
    wanted = Wanted(texts_a_day=2e7, kind="sentences", cores_a_machine=2)
    return size(wanted, measured.costs, measured.lengths["sentences"], start=2.0)


def test_a_fleet_keeps_its_objective_while_two_machines_are_away(small: Sized) -> None:
    assert small.machines == small.busy_machines + 2
    assert small.unanswered == 0
    assert small.p99 <= small.wanted.p99_ms
    assert 0.2 < small.load <= MOST_BUSY


def test_euros_are_cores_and_hours(small: Sized) -> None:
    assert small.cores == 2 * small.machines
    assert small.euros_a_month == pytest.approx(small.cores * 0.04 * 730)
    a_month = 2e7 * 730 / 24
    assert small.euros_a_million * a_month / 1e6 == pytest.approx(small.euros_a_month)


def test_slower_cores_take_more_machines(measured: Measured, small: Sized) -> None:
    costs = measured.costs
    slower = costs.scale(8.0)
    sized = size(small.wanted, slower, measured.lengths["sentences"], start=2.0)
    assert sized.busy_machines > small.busy_machines


def test_an_objective_that_no_load_keeps_is_refused() -> None:
    result = CliRunner().invoke(app, ["plan", "--texts-a-day", "1e6", "--p99-ms", "0.01"])
    assert result.exit_code == 2
    assert "allow more" in result.output


def test_texts_of_an_unknown_kind_are_refused() -> None:
    result = CliRunner().invoke(app, ["plan", "--texts-a-day", "1e6", "--kind", "poems"])
    assert result.exit_code == 2
    assert "sentences" in result.output


def test_the_price_of_a_core_is_an_argument() -> None:
    options = ["plan", "--texts-a-day", "1e6", "--cores-a-machine", "1", "--euros-a-core-hour"]
    cheap, dear = (
        json.loads(CliRunner().invoke(app, [*options, price]).output) for price in ("0.01", "0.1")
    )
    assert dear["euros_a_month"] == pytest.approx(10 * cheap["euros_a_month"])
    assert cheap["machines"] == dear["machines"] >= 3


def test_limits_are_those_nearest_first(small: Sized) -> None:
    limits = list_limits(small, FACTS)
    shares = [limit.share for limit in limits]
    assert shares == sorted(shares, reverse=True)
    requests = next(limit for limit in limits if limit.part == "a proxy: requests")
    assert requests.load == small.peak
    assert all(math.isfinite(share) and share > 0 for share in shares)


def test_memory_counts_what_workers_share_once(small: Sized) -> None:
    assert memory_megabytes(small, FACTS) == small.machines * (130 - 2 * 50 + 2 * 50)


def test_the_page_has_a_row_for_each_fleet(small: Sized) -> None:
    table = describe_fleets([small, small], FACTS)
    assert len(table.splitlines()) == 4
    assert "20,000,000 sentences a day" in describe_limits([small], FACTS)


def test_the_probe_of_a_core_ends_with_whoever_started_it(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "benchmarks.fleet.pace", str(core), str(tmp_path / "pace")]
    start = f"subprocess.Popen([*{command!r}, str(os.getpid())])"
    script = f"import os, subprocess; print({start}.pid)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    probe = Path("/proc") / done.stdout.strip()
    until = time.monotonic() + 30
    while probe.exists() and "Z" not in (probe / "stat").read_text().rpartition(")")[2]:
        assert time.monotonic() < until
        time.sleep(0.05)

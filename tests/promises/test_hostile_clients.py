"""Clients that are silent, slow or far too talkative harm no other."""

import http.client
import json
import logging
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.e2e.server import ROOT, Server
from tests.effort import Effort
from tests.promises import attackers
from tests.promises.shipped import cpu_seconds, megabytes, reset_peak, serving_shipped, wait_until

pytestmark = pytest.mark.e2e

_log = logging.getLogger(__name__)

MOST_MEGABYTES = 50  # that all of them may take
ENDS = {"408", "429", "431", "cut", "held"}  # held: when the attack was over
BODY = json.dumps({"text": "An unforgettable film with a slow start."}).encode()


@pytest.mark.parametrize(("attacks", "clients", "slower"), [("slow", 500, 2), ("floods", 180, 8)])
def test_others_are_answered_as_if_there_were_none(
    attacks: str, clients: int, slower: float, effort: Effort
) -> None:
    """In the long form with the times that a service has if nothing is set."""
    seconds = effort(short=2, long=60)
    patience = str(effort(short=1, long=30))
    with serving_shipped(
        GATEWISE_CLIENT_SECONDS=patience, GATEWISE_KEEP_ALIVE_SECONDS=patience
    ) as server:
        calm = measure(server, seconds=seconds)
        before = megabytes(server)
        reset_peak(server)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.promises.attackers"),
                *(str(server.port), attacks),
                *(str(effort(short=70, long=clients)), str(4 * seconds)),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        time.sleep(effort(short=2, long=10))  # until all of them are there
        attacked = measure(server, seconds=seconds)
        counts = json.loads(process.communicate(timeout=300)[0])
        grown = megabytes(server, "VmHWM") - before
        again = measure(server, seconds=seconds)
        assert not [line for line in server.log if "Traceback" in line]
    quiet = statistics.mean((p99(calm), p99(again)))
    told = f"p99 {quiet:.2f} ms, attacked {p99(attacked):.2f} ms, {grown:.0f} MB; {counts}"
    _log.info(told)
    kinds = {kind for kind, _ in map(str.split, counts)}
    ends = {kind: {end for each, end in map(str.split, counts) if each == kind} for kind in kinds}
    assert len(ends) == len(attackers.KINDS[attacks])
    for kind, found in ends.items():
        answered = {"200"} if kind == "many_requests_at_once" else set()
        assert found <= ENDS | answered, told
    assert grown <= MOST_MEGABYTES, told
    assert p99(attacked) <= effort(short=50, long=slower) * quiet, told


def measure(server: Server, *, seconds: float) -> list[float]:
    """Return the milliseconds of requests that come one after the other, each answered."""
    found = []
    end = time.perf_counter() + seconds
    while (started := time.perf_counter()) < end:
        fresh = len(found) % 10 == 0
        if fresh:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("POST", "/predict", BODY, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        found.append(1e3 * (time.perf_counter() - started))
        if len(found) % 10 == 0:
            connection.close()
        time.sleep(0.001)
    connection.close()
    return found


def p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]


def idle_connections(stack: ExitStack, server: Server, count: int) -> list[socket.socket]:
    found = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        found.append(stack.enter_context(client))
    return found


def can_answer(server: Server) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            return server.predict(text="good")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    return ask


def test_where_few_files_may_be_open_idle_clients_make_room() -> None:
    with (
        serving_shipped(under=["prlimit", "--nofile=120:120"]) as server,
        ExitStack() as stack,
    ):
        idle_connections(stack, server, 300)
        assert server.predict(text="good")[0] == 200
        assert any("a process may open 120 files" in line for line in server.log)


def test_where_no_more_files_can_be_opened_the_service_goes_on() -> None:
    """The limit falls while the service runs, so that its own does not help."""
    with serving_shipped() as server:
        subprocess.run(["prlimit", f"--pid={server.process.pid}", "--nofile=60:20000"], check=True)
        with ExitStack() as crowd:
            idle_connections(crowd, server, 200)
            used = cpu_seconds(server)
            time.sleep(1)
            assert cpu_seconds(server) - used < 0.7  # it does not spin
        wait_until(can_answer(server))
        assert server.process.poll() is None

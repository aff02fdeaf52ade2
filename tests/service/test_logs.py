"""Lines of the log, for a person and for a collector of logs."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e  # processes, because a log belongs to one
ROOT = Path(__file__).resolve().parents[2]

LOG = """
import asyncio, logging, sys, threading, warnings
from service.logs import note_request, set_up_logs
set_up_logs(sys.argv[1])
log = logging.getLogger("a.place")
log.info("two\\nlines of %s \\u2028", "text")
log.info("a name\\nINFO: forged \\x1b[2K\\r\\x85 \\u202e of a file")
async def answer():
    note_request(b"an-id")
    log.warning("of a request")
    await asyncio.to_thread(log.warning, "in a thread")
asyncio.run(answer())
logging.getLogger("uvicorn.error").info("of the server")
warnings.warn("careful")
try:
    raise ZeroDivisionError("forged\\x1b\\nINFO: by an error")
except ZeroDivisionError:
    log.exception("failed")
thread = threading.Thread(target=lambda: [][1], name="worker")
thread.start()
thread.join()
raise RuntimeError("at the end")
"""


def log_as(format: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", LOG, format],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()


def read(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def test_every_line_is_an_object() -> None:
    records = read(log_as("json"))
    assert [(r["level"], r["logger"], r["message"].partition("\n")[0]) for r in records[:5]] == [
        ("info", "a.place", "two"),
        ("info", "a.place", "a name"),
        ("warning", "a.place", "of a request"),
        ("warning", "a.place", "in a thread"),
        ("info", "uvicorn.error", "of the server"),
    ]
    warned, failed, thread, ended = records[5:]
    assert (warned["logger"], "careful" in warned["message"]) == ("py.warnings", True)
    assert "ZeroDivisionError" in failed["exception"]
    assert (thread["level"], thread["message"]) == ("critical", "worker failed")
    assert "IndexError" in thread["exception"]
    assert (ended["level"], ended["message"]) == ("critical", "the process failed")
    assert "RuntimeError: at the end" in ended["exception"]


def test_times_are_utc_and_requests_have_their_ids() -> None:
    records = read(log_as("json"))
    for record in records:
        assert record["time"].endswith("Z")
        assert abs(datetime.now(UTC) - datetime.fromisoformat(record["time"])) < timedelta(
            minutes=1
        )
    assert [record.get("request_id") for record in records[1:5]] == [None, "an-id", "an-id", None]


def test_text_is_a_line_for_each_record_whatever_is_in_it() -> None:
    lines = log_as("text")
    assert lines[0] == r"INFO: two\nlines of text \u2028"
    assert lines[1] == r"INFO: a name\nINFO: forged \x1b[2K\r\x85 \u202e of a file"
    assert "WARNING: of a request" in lines
    assert lines[-1] == "RuntimeError: at the end"
    traced = lines[lines.index("ERROR: failed") + 1 :]
    assert traced[0] == "  Traceback (most recent call last):"
    assert r"  ZeroDivisionError: forged\x1b" in traced
    assert "  INFO: by an error" in traced


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"PORT": "x"}, "GATEWISE_PORT: Input should be a valid integer"),
        ({"STORE": "/nowhere"}, "/nowhere"),
        ({"POLL": "3"}, "GATEWISE_POLL is no setting"),
    ],
)
def test_a_start_that_fails_is_told_in_json_too(settings: dict[str, str], message: str) -> None:
    given = {"LOG": "json", "STORE": "/nowhere", "PORT": "0"} | settings
    done = subprocess.run(
        [sys.executable, "-m", "service"],
        cwd=ROOT,
        env=os.environ | {f"GATEWISE_{name}": value for name, value in given.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    records = read(done.stderr.splitlines())
    assert any(message in record["message"] for record in records)


def test_a_format_that_is_none_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service"],
        cwd=ROOT,
        env=os.environ | {"GATEWISE_LOG": "xml"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "error: GATEWISE_LOG: Input should be 'text' or 'json', not 'xml'\n"

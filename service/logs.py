"""What the process logs: lines for a person, or JSON objects for a collector of logs."""

import json
import logging
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal

from models.printable import escape_controls

LogFormat = Literal["text", "json"]

_request_id: ContextVar[bytes | None] = ContextVar("request_id", default=None)
_log = logging.getLogger(__name__)


def note_request(request_id: bytes) -> None:
    """Give what is logged from here on, in this task, the id of a request."""
    _request_id.set(request_id)


def set_up_logs(format: str) -> None:
    """Log to standard error, all that ends up in `logging`, warnings and uncaught exceptions too.

    Args:
        format: "json" for one JSON object a line; else text.
    """
    handler = logging.StreamHandler()
    if format == "json":
        handler.setFormatter(JsonFormatter())
        logging.captureWarnings(True)
        sys.excepthook = _log_uncaught
        threading.excepthook = _log_uncaught_in_thread
    else:
        handler.setFormatter(TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class TextFormatter(logging.Formatter):
    """One line for each record, whatever is in its message; a traceback is indented below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, and those of its traceback."""
        message = escape_controls(record.getMessage().rstrip("\n"))
        lines = [f"{record.levelname}: {message}"]
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            lines += [f"  {escape_controls(line)}" for line in trace.split("\n")]
        return "\n".join(lines)


class JsonFormatter(logging.Formatter):
    """One JSON object for each record, in one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line = {
            "time": _rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := _request_id.get():
            line["request_id"] = request_id.decode()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _rfc3339(seconds: float) -> str:
    """Return a Unix time in UTC, to the millisecond, as RFC 3339 has it."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):  # somebody ends the process
        return
    _log.critical("the process failed", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    name = given.thread.name if given.thread else "a thread"
    error = given.exc_value or given.exc_type()
    _log.critical("%s failed", name, exc_info=(given.exc_type, error, given.exc_traceback))

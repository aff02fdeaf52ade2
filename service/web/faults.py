"""What the log says of errors that nobody foresaw."""

import logging
import traceback

HIDDEN = "its message is left out, for it may quote a text"


def log_fault(log: logging.Logger, message: str, *args: object, error: BaseException) -> None:
    """Log where an error was raised and of which type it is, not what it says.

    Args:
        log: Where to.
        message: What failed, with places for `args`.
        args: What stands there.
        error: The error.
    """
    log.error(f"{message}\n%s", *args, _describe(error))


def _describe(error: BaseException) -> str:
    context = None if error.__suppress_context__ else error.__context__
    before = error.__cause__ or context
    frames = "".join(traceback.format_tb(error.__traceback__))
    described = f"Traceback (most recent call last):\n{frames}{_name(error)}"
    return described if before is None else f"{_describe(before)}\n\nwhich led to\n\n{described}"


def _name(error: BaseException) -> str:
    """Return the type of an error, and what the system says where it is one of the system."""
    system = isinstance(error, OSError) and error.strerror
    return f"{type(error).__qualname__}: {system or HIDDEN}"

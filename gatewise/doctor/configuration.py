"""Looks at the settings: whether they are right, and whether a service could start with them."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import ProxyHandler, build_opener

from pydantic import ValidationError

from gatewise.doctor.findings import Finding
from models.errors import GatewiseError
from service.__main__ import describe_bad_setting
from service.environment import PREFIX
from service.settings import Settings
from service.web.access.exposure import check_access
from service.web.listening import CannotListen, format_url, listen

PATIENCE = 2.0  # seconds for an answer


def read_settings() -> tuple[Settings, list[Finding]]:
    """Return the settings of the environment, and what is wrong with them.

    Where one is bad, the defaults stand for all, so that the rest can be looked at.
    """
    with _collected() as warnings:
        try:
            settings = Settings()
        except ValidationError as error:
            bad = Finding("settings", "fault", describe_bad_setting(error), "correct or unset it")
            return Settings.model_construct(), [bad]
    if warnings:
        return settings, [Finding("settings", "note", each, "correct it") for each in warnings]
    given = ", ".join(sorted(f"{PREFIX}{name.upper()}" for name in settings.model_fields_set))
    return settings, [Finding("settings", "ok", given or "the defaults")]


def check_access_and_port(settings: Settings) -> Iterator[Finding]:
    """Yield who may ask, and whether the service could listen."""
    with _collected() as warnings:
        try:
            check_access(settings)
        except GatewiseError as error:
            found, _, mend = str(error).partition(". ")
            yield Finding("access", "fault", found, mend)
        else:
            keys = f"with the keys of {settings.keys}" if settings.keys else "this machine alone"
            yield Finding("access", "note" if warnings else "ok", (warnings or [keys])[0])
    yield _check_port(settings)


def _check_port(settings: Settings) -> Finding:
    try:
        sockets = listen(settings.host, settings.port)
    except CannotListen as error:
        if _answers(settings):
            where = format_url(settings.host, settings.port)
            return Finding("port", "ok", f"{where} is taken by a service that answers")
        found, _, mend = str(error).partition("; ")
        return Finding("port", "fault", found, mend)
    for each in sockets:
        each.close()
    return Finding("port", "ok", f"{format_url(settings.host, settings.port)} is free")


def _answers(settings: Settings) -> bool:
    """Whether a service like ours answers at the port."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    ask = build_opener(ProxyHandler({})).open
    try:
        url = f"{format_url(host, settings.port)}{settings.root_path}/livez"
        with ask(url, timeout=PATIENCE) as answer:
            return bool(json.load(answer) == {"status": "ok"})
    except (OSError, ValueError):
        return False


class _Collector(logging.Handler):
    """Keeps the messages of the log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self.messages.append(record.getMessage())


@contextmanager
def _collected() -> Iterator[list[str]]:
    """Yield the warnings of the service that come meanwhile; they are printed nowhere else."""
    collector, log = _Collector(), logging.getLogger("service")
    log.addHandler(collector)
    try:
        yield collector.messages
    finally:
        log.removeHandler(collector)

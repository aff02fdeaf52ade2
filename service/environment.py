"""Settings from environment variables, as shells, env files and Kubernetes write them."""

import logging
import os
import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

PREFIX = "GATEWISE_"
SHARED_COUNTS = "PROMETHEUS_MULTIPROC_DIR"  # of the Prometheus client, which reads it on import
LIKENESS = 0.75  # of two names from which on one may be the other, misspelt

# For a Service named gatewise, Kubernetes sets GATEWISE_PORT=tcp://10.0.0.1:8000 and others in each
# pod of the namespace. Links of Docker do so too.
_LINK = re.compile(r"(tcp|udp|sctp)://\S+:\d+", re.IGNORECASE)
_LINK_NAME = re.compile(r"(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")

_log = logging.getLogger(__name__)


class Environment(PydanticBaseSettingsSource):
    """Reads `GATEWISE_<NAME>` for each setting. The log says what is ignored or changed."""

    def __init__(self, settings: type[BaseSettings]) -> None:
        super().__init__(settings)
        self._given = _collect(os.environ)

    def __call__(self) -> dict[str, Any]:
        """Return the settings that are given, by name."""
        fields = self.settings_cls.model_fields
        _warn_of_misspelt(self._given, fields)
        found = {name: self.get_field_value(field, name)[0] for name, field in fields.items()}
        return {name: value for name, value in found.items() if value is not None}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[str | None, str, bool]:
        """Return the value of a setting, None if it is not given, and what pydantic asks beside."""
        variable = PREFIX + field_name.upper()
        given = self._given.get(variable)
        if given is None:
            return None, field_name, False
        value = _clean(variable, given)
        if value is None and _is_secret(field):
            value = given  # which is blank: that is refused, and not taken for none
        return value, field_name, False


def peek(setting: str) -> str:
    """Return what is given for a setting, before settings are read; empty if nothing."""
    return _collect(os.environ).get(PREFIX + setting.upper(), "").strip(" \t\"'")


def leave_out_shared_counts() -> None:
    """Leave out where other programs share counts: nobody empties it between two starts.

    Several workers get a folder of their own.
    """
    for variable in (SHARED_COUNTS, SHARED_COUNTS.lower()):
        if (folder := os.environ.pop(variable, None)) is not None:
            _log.warning("%s=%s is ignored: the service counts by itself", variable, folder)


def _collect(environment: Mapping[str, str]) -> dict[str, str]:
    """Return our variables by name in capitals; one that is written so precedes others."""
    ours = {name: value for name, value in environment.items() if name.upper().startswith(PREFIX)}
    return {name.upper(): ours[name] for name in sorted(ours, key=str.isupper)}


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def _clean(variable: str, given: str) -> str | None:
    """Return the value that a variable was to have; None if it is as good as absent."""
    value = given.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
        if value:
            _log.warning("%s: the quotes around its value are left out", variable)
    if variable.endswith("PORT") and _LINK.fullmatch(value):
        _log.warning(
            "%s=%s is ignored: Kubernetes or Docker sets it for a service of this name; "
            "enableServiceLinks: false keeps it out of a pod",
            variable,
            value,
        )
        return None
    return value or None


def _warn_of_misspelt(variables: Iterable[str], fields: Iterable[str]) -> None:
    """Warn of variables that are no settings, but nearly named as one."""
    settings = [name.upper() for name in fields]
    for variable in sorted(variables):
        name = variable.removeprefix(PREFIX)
        if name not in settings and not _LINK_NAME.fullmatch(name):
            likeness, setting = max((_likeness(name, setting), setting) for setting in settings)
            if likeness >= LIKENESS:
                _log.warning("%s is no setting; did you mean %s%s?", variable, PREFIX, setting)


def _likeness(name: str, setting: str) -> float:
    """Return how much two names are alike, up to 1; at least LIKENESS if one has all words of both.

    So GATEWISE_POLL is taken for GATEWISE_POLL_SECONDS.
    """
    likeness = SequenceMatcher(None, name, setting).ratio()
    words, others = set(name.split("_")), set(setting.split("_"))
    return (
        max(likeness, LIKENESS + likeness / 100) if words <= others or others <= words else likeness
    )

"""The settings of the service, by environment variable or on the command line."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from models.names import LABEL_PATTERN, VERSION_NUMBER
from models.registry import STORE
from models.remotes.address import read_address
from service.engines.cores import available_cores
from service.engines.loading import EngineKind
from service.engines.native.layout import Precision
from service.environment import PREFIX, Environment
from service.logs import LogFormat

OWN_PATHS = frozenset(
    [
        *("admin", "docs", "explanations", "livez", "metrics", "models", "openapi.json", "page"),
        *("predict", "readyz", "static-offline-docs", "stream"),
    ]
)
"""First parts of the paths of the service itself."""

RolloutMode = Literal["watch", "rollback", "promote"]
"""What is done with a version on trial without being asked for."""

_PATH_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[\w.~-]+)*", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def _refuse_blank(secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    """Return a secret; one that is blank would protect nothing, without a word."""
    if secret is not None and _is_blank(secret.get_secret_value()):
        variable = f"{PREFIX}{info.field_name}".upper()
        raise ValueError(
            f"it is empty, so it would protect nothing; give a secret, or unset {variable}"
        )
    return secret


def _refuse_blank_parts(secret: SecretStr | None) -> SecretStr | None:
    """Return secrets that are written with commas, none of which may be blank."""
    if secret is not None and any(map(_is_blank, secret.get_secret_value().split(","))):
        raise ValueError(
            "one of its secrets is empty, so it would protect nothing; "
            "give a secret before and behind each comma"
        )
    return secret


def _is_blank(secret: str) -> bool:
    return not secret.strip("\"', \t\r\n")


def _read_prefix(given: str) -> str:
    """Return a path prefix as `/a/b`, empty for none."""
    prefix = f"/{given.strip('/')}".rstrip("/")
    if not _PATH_PREFIX.fullmatch(prefix):
        raise ValueError(f"{given!r} is no path prefix, such as /gatewise")
    if (first := prefix[1:].partition("/")[0]) in OWN_PATHS:
        raise ValueError(f"/{first} is a path of the service itself; choose another prefix")
    return prefix


def _split(given: Any) -> Any:
    """Return the parts of a list that is written with commas."""
    if not isinstance(given, str):
        return given
    return [part for each in given.split(",") if (part := each.strip())]


def _read_origin(given: str) -> str:
    """Return an origin as browsers send it: in small letters, without a port that is the usual."""
    if given == "*":
        return given
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError:  # the port is no number, or a bracket is missing
        parts, host, port = urlsplit(""), None, None
    rest = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if not parts.scheme or not host or "*" in host or rest:
        raise ValueError(f"{given!r} is no origin, such as https://www.example.com, and not *")
    host = f"[{host}]" if ":" in host else host
    named = port is not None and port != _DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{host}:{port}" if named else f"{parts.scheme}://{host}"


def _read_network(given: str) -> str:
    """Return an address or a network; * for all."""
    if given == "*":
        return given
    try:
        return str(ip_network(given, strict=False))
    except ValueError:
        raise ValueError(
            f"{given!r} is no address, no network such as 10.0.0.0/8, and not *"
        ) from None


def _check_address(given: str) -> str:
    """Return the address of a version unchanged."""
    read_address(given)
    return given


PullAddress = Annotated[str, AfterValidator(_check_address)]
Origin = Annotated[str, AfterValidator(_read_origin)]
Network = Annotated[str, AfterValidator(_read_network)]


class Settings(BaseSettings):
    """Settings of one service process; each is read from `GATEWISE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    host: Annotated[
        str,
        AfterValidator(lambda host: host.strip("[]")),
        Field(description="Address to listen on."),
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="Port to listen on.")] = 8000
    store: Annotated[Path, Field(description="Folder of the versions.")] = STORE
    pull: Annotated[
        tuple[PullAddress, ...],
        BeforeValidator(_split),
        Field(
            description="Addresses, with commas, of versions that are pulled into the store before "
            "the start, such as hf://owner/reviews@3."
        ),
    ] = ()
    model: Annotated[
        str | None,
        Field(
            pattern=rf"^[^:]+(:({VERSION_NUMBER.pattern}|{LABEL_PATTERN.strip('^$')}))?$",
            description="Model, model:version or model:label, for requests that name none.",
        ),
    ] = None
    engine: Annotated[EngineKind, Field(description="Engine that computes.")] = "auto"
    precision: Annotated[
        Precision,
        Field(description="Precision of the native engine: int16, int8 (faster) or float32."),
    ] = "int16"
    workers: Annotated[int, Field(ge=1, description="Processes that answer.")] = 1
    threads: Annotated[
        int | None,
        Field(
            ge=1, description="Threads that compute in each process; if absent, cores over workers."
        ),
    ] = None
    deadline_ms: Annotated[
        int, Field(ge=1, description="Milliseconds to answer in, where a request sets no deadline.")
    ] = 2_000
    root_path: Annotated[
        str,
        AfterValidator(_read_prefix),
        Field(description="Path below which a proxy offers the service."),
    ] = ""
    forwarded_allow_ips: Annotated[
        tuple[Network, ...],
        BeforeValidator(_split),
        Field(
            description="Addresses and networks, with commas, of proxies whose X-Forwarded-For and "
            "X-Forwarded-Proto count; * for all, none if absent."
        ),
    ] = ()
    log: Annotated[
        LogFormat, Field(description="Form of the log: text, or json for an object a line.")
    ] = "text"
    cors_origins: Annotated[
        tuple[Origin, ...],
        BeforeValidator(_split),
        Field(description="Origins whose pages may ask from a browser, with commas; * for all."),
    ] = ()
    keys: Annotated[
        Path | None,
        Field(description="File of API keys, which every request then has to show."),
    ] = None
    open: Annotated[
        bool,
        Field(description="Whether to answer other machines without API keys."),
    ] = False
    published: Annotated[
        str | None,
        Field(
            description="Address at which others reach the service, where it is not the one to "
            "listen on, as with a container."
        ),
    ] = None
    tokens_per_second: Annotated[
        float | None,
        Field(
            gt=0,
            allow_inf_nan=False,
            description="Tokens a second that may be read with an API key that has no rate itself.",
        ),
    ] = None
    burst_tokens: Annotated[
        float | None,
        Field(
            ge=1,
            allow_inf_nan=False,
            description="Tokens of such a key that may be read at once; if absent, those of ten "
            "seconds.",
        ),
    ] = None
    rates_url: Annotated[
        SecretStr | None,
        AfterValidator(_refuse_blank),
        Field(
            description="Address of a Redis server, such as redis://redis:6379/0, that counts for "
            "all replicas what is read with each API key."
        ),
    ] = None
    stream_secret: Annotated[
        SecretStr | None,
        AfterValidator(_refuse_blank),
        AfterValidator(_refuse_blank_parts),
        Field(
            description="Secret with which the replicas of a service sign the states of streams. "
            "After a comma may follow older ones, whose states are still read."
        ),
    ] = None
    stream_idle_seconds: Annotated[
        float, Field(gt=0, description="Seconds without a piece after which a WebSocket is closed.")
    ] = 300
    keep_alive_seconds: Annotated[
        int,
        Field(ge=1, description="Seconds without a request after which a connection is closed."),
    ] = 75
    client_seconds: Annotated[
        float,
        Field(
            gt=0,
            description="Seconds that a client may take for the head of a request, for a small "
            "body, and to take an answer.",
        ),
    ] = 30
    max_connections: Annotated[
        int, Field(ge=1, description="Connections of each process at the same time.")
    ] = 4_096
    versions: Annotated[
        int, Field(ge=1, description="Newest versions of each model that stay loaded.")
    ] = 2
    poll_seconds: Annotated[
        float, Field(gt=0, description="Seconds between two looks at the store.")
    ] = 1
    rollout: Annotated[
        RolloutMode,
        Field(
            description="What is done with a version on trial without being asked for: watch, "
            "rollback, or promote, which also rolls back."
        ),
    ] = "rollback"
    rollout_flips: Annotated[
        float | None,
        Field(
            gt=0,
            lt=1,
            description="Share of flipped labels that is tolerated; if absent, the errors of both "
            "versions together.",
        ),
    ] = None
    rollout_slower: Annotated[
        float, Field(ge=1, description="Times as slow as stable that a version on trial may be.")
    ] = 3
    drain_seconds: Annotated[
        float, Field(ge=0, description="Seconds between not ready and closing, on SIGTERM.")
    ] = 0
    max_body_bytes: Annotated[
        int, Field(ge=1, description="Bytes of the largest request body.")
    ] = 8 * 1024**2
    max_chars: Annotated[int, Field(ge=1, description="Characters of the longest text.")] = (
        2_000_000
    )
    max_texts: Annotated[int, Field(ge=1, description="Texts of one request at most.")] = 10_000

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where settings come from: arguments, then environment variables."""
        return init_settings, Environment(settings_cls)

    @property
    def stream_secrets(self) -> tuple[str, ...]:
        """Secrets of the states of streams; the first one signs."""
        if self.stream_secret is None:
            return ()
        return tuple(each.strip() for each in self.stream_secret.get_secret_value().split(","))

    @property
    def computing_threads(self) -> int:
        """Threads that compute in each process, together no more than there are cores."""
        return self.threads or max(1, available_cores() // self.workers)

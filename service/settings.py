"""The settings of the service, by environment variable or on the command line."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.engines.loading import EngineKind, available_cores


class Settings(BaseSettings):
    """Settings of one service process; each is read from `GATEWISE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="GATEWISE_", frozen=True)

    host: Annotated[str, Field(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="Port to listen on.")] = 8000
    store: Annotated[Path, Field(description="Folder of the versions.")] = Path("models/store")
    model: Annotated[
        str | None,
        Field(
            pattern=r"^[^:]+(:[1-9][0-9]*)?$",
            description="Model, or model:version, for requests that name none.",
        ),
    ] = None
    engine: Annotated[EngineKind, Field(description="Engine that computes.")] = "auto"
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
    stream_secret: Annotated[
        str | None,
        Field(
            description="Secret with which the replicas of a service sign the states of streams."
        ),
    ] = None
    stream_idle_seconds: Annotated[
        float, Field(gt=0, description="Seconds without a piece after which a WebSocket is closed.")
    ] = 300
    versions: Annotated[
        int, Field(ge=1, description="Newest versions of each model that stay loaded.")
    ] = 2
    poll_seconds: Annotated[
        float, Field(gt=0, description="Seconds between two looks at the store.")
    ] = 1
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

    @property
    def computing_threads(self) -> int:
        """Threads that compute in each process, together no more than there are cores."""
        return self.threads or max(1, available_cores() // self.workers)

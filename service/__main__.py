"""The command line: `python -m service`."""

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from service.engines.opening import EngineKind

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address. [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 for any. [default: 8000]")] = None,
    store: Annotated[
        Path | None, typer.Option(help="Folder of the versions. [default: models/store]")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model, or model:version, for requests that name none.")
    ] = None,
    engine: Annotated[
        EngineKind | None, typer.Option(help="What computes. [default: auto]")
    ] = None,
) -> None:
    """Serve the versions of a store over HTTP.

    Each option, and more that docs/architecture.md lists, can be set as GATEWISE_<NAME> too.
    """
    from service.server import run
    from service.settings import Settings

    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    given: dict[str, Any] = {
        "host": host,
        "port": port,
        "store": store,
        "model": model,
        "engine": engine,
    }
    run(Settings(**{name: value for name, value in given.items() if value is not None}))


if __name__ == "__main__":
    app()

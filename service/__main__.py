"""The command line: `python -m service`."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.engines.opening import EngineKind

if TYPE_CHECKING:
    from service.settings import Settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address; if absent 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port, 0 for any; if absent 8000.")] = None,
    store: Annotated[
        Path | None, typer.Option(help="Folder of the versions; if absent models/store.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model, or model:version, for requests that name none.")
    ] = None,
    engine: Annotated[
        EngineKind | None, typer.Option(help="What computes; if absent auto.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that answer; if absent 1.", min=1)
    ] = None,
) -> None:
    """Serve the versions of a store over HTTP.

    Each option, and more that docs/architecture.md lists, can be set as GATEWISE_<NAME> too.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    given = {
        "host": host,
        "port": port,
        "store": store,
        "model": model,
        "engine": engine,
        "workers": workers,
    }
    settings = _read_settings({name: value for name, value in given.items() if value is not None})
    if settings.workers > 1:
        from service.workers import run_workers

        run_workers(settings)
    else:
        from service.server import make_server

        make_server(settings).run()


def _read_settings(given: dict[str, Any]) -> "Settings":
    """Return the settings of the environment under those given; a bad one ends the process."""
    from pydantic import ValidationError

    from service.settings import Settings

    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        setting = f"GATEWISE_{first['loc'][0]}".upper()
        typer.echo(f"error: {setting}: {first['msg']}, not {first['input']!r}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    app()

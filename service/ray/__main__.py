"""The command line: `python -m service.ray`."""

import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from models import ray_cluster
from models.command_line import checked_by, one_line
from models.errors import GatewiseError
from service.__main__ import read_settings, setting_option
from service.engines.loading import EngineKind
from service.ray.autoscaling import TARGET

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def serve(
    context: typer.Context,
    ray: Annotated[
        str,
        typer.Option(
            help=ray_cluster.HELP, metavar="ADDRESS", callback=checked_by(ray_cluster.check_address)
        ),
    ] = ray_cluster.AUTO,
    replicas: Annotated[int, typer.Option(min=1, help="Fewest replicas.")] = 2,
    most: Annotated[
        int | None,
        typer.Option("--max-replicas", min=1, help="Most replicas; if absent --replicas."),
    ] = None,
    backlog: Annotated[
        int,
        typer.Option(
            "--backlog-tokens",
            min=1,
            help="Tokens that may wait at each replica before there are more.",
        ),
    ] = TARGET,
    host: Annotated[str | None, setting_option("host")] = None,
    port: Annotated[int | None, setting_option("port")] = None,
    store: Annotated[Path | None, setting_option("store")] = None,
    model: Annotated[str | None, setting_option("model")] = None,
    engine: Annotated[EngineKind | None, setting_option("engine")] = None,
    threads: Annotated[int | None, setting_option("threads")] = None,
    keys: Annotated[Path | None, setting_option("keys")] = None,
) -> None:
    """Serve the versions of a store with replicas on a Ray cluster.

    The same command again replaces the replicas, one after the other, without a failed request.
    The service stays on the cluster when the command ends; with --ray local it ends with it.
    """
    if most is not None and most < replicas:
        raise typer.BadParameter("it is less than --replicas", param_hint="--max-replicas")
    own = ("host", "port", "store", "model", "engine", "threads", "keys")
    given: dict[str, Any] = {name: context.params[name] for name in own}
    with one_line(GatewiseError):
        settings = read_settings(given)
        with ray_cluster.connected(ray, namespace="gatewise") as module:
            from service.ray.deployment import Scale, deploy

            scale = Scale(least=replicas, most=most or replicas, backlog_tokens=backlog)
            deploy(settings, scale=scale, ray=module)
            typer.echo(f"serving on http://{settings.host}:{settings.port}", err=True)
            if ray == ray_cluster.LOCAL:
                threading.Event().wait()


if __name__ == "__main__":
    app()

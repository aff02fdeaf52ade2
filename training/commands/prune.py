"""The command `prune`: deletes old versions."""

from typing import Annotated

import typer

from models.command_line import StoreOption
from models.registry import STORE, Store
from training.commands.options import Asked, setting, takes


@takes(setting("name", help="Model whose old versions are deleted", default=...))
def prune(
    asked: Asked,
    *,
    keep: Annotated[int, typer.Option(min=1, help="Newest versions that stay.")],
    store: StoreOption = STORE,
) -> None:
    """Delete old versions. Those with a label stay, and the one that was stable before."""
    name = asked["name"]
    deleted = Store(store).prune(name, keep=keep)
    typer.echo(f"deleted versions of {name}: {', '.join(map(str, deleted)) or 'none'}")

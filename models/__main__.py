"""The command line: `python -m models`, which shows versions, moves traffic and copies versions."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models import steering
from models.command_line import AsJson, Reference, StoreOption, one_line, tell
from models.errors import GatewiseError
from models.names import split_reference
from models.overview import Row, describe, list_versions
from models.printable import escape_controls
from models.registry import STORE, Store
from models.remotes import commands as remotes
from models.version_labels import STABLE, VersionLabels

DAMAGED = 1
FAULTS = (GatewiseError, OSError, ValueError)  # that the user can correct

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Name = Annotated[str, typer.Argument(help="Name of the model.")]


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Show the versions of a store, and say which of them answers.

    A model without labels answers with its newest version. As soon as a version is `stable`, new
    ones answer only when they are asked by number or label, until `stable` moves. A running service
    follows within two seconds.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("list")
def list_(
    model: Annotated[str | None, typer.Argument(help="Name of the model; all if absent.")] = None,
    store: StoreOption = STORE,
    as_json: AsJson = False,
) -> None:
    """List the versions of the models, with their labels."""
    with one_line(*FAULTS):
        rows = list_versions(_open(store), model=model)
    columns = ["model", "version", "labels", "answers", "created", "cell", "test", "MB"]
    if any(row["verdict"] for row in rows):
        columns.insert(4, "verdict")
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        shown = row | {"created": row.get("fault") or row["created"][:16].replace("T", " ")}
        table.add_row(*(_cell(shown[column]) for column in columns))
    tell(rows, as_json=as_json, otherwise=lambda: _print(table))


@app.command()
def show(model: Reference, store: StoreOption = STORE, as_json: AsJson = False) -> None:
    """Show one version: what it was trained on, how good it is, which labels it had and has."""
    with one_line(*FAULTS):
        opened = _open(store)
        found = describe(opened, opened.resolve(model))
    tell(found, as_json=as_json, otherwise=lambda: _print_facts(found))


@app.command()
def verify(
    model: Annotated[str | None, typer.Argument(help="As in show; all versions if absent.")] = None,
    store: StoreOption = STORE,
    as_json: AsJson = False,
) -> None:
    """Compare the files of versions with their hashes.

    The exit status is 1 if any is damaged or cannot be read. Versions that are pruned meanwhile are
    left out.
    """
    with one_line(*FAULTS):
        opened = _open(store)
        if model is not None and ":" in model:
            versions = [opened.resolve(model)]
        else:
            names = opened.names() if model is None else [model]
            versions = [version for name in names for version in opened.require(name)]
    found: dict[str, str | None] = {}
    for version in track(versions, "verifying", console=Console(stderr=True), transient=True):
        try:
            version.verify()
            found[version.reference] = None
        except (GatewiseError, OSError) as error:
            if version.path.exists():
                found[version.reference] = str(error)
    said = {name: escape_controls(fault or "as it was published") for name, fault in found.items()}
    lines = [f"{name}: {each}" for name, each in said.items()]
    tell(found, as_json=as_json, otherwise=lambda: typer.echo("\n".join(lines)))
    if any(found.values()):
        raise typer.Exit(DAMAGED)


@app.command()
def label(
    model: Reference,
    label: Annotated[str, typer.Argument(help="stable, canary, or any name.")],
    share: Annotated[
        str | None,
        typer.Option(help="Share of what names no label, such as 10% or 0.1; 0 for none."),
    ] = None,
    shadow: Annotated[
        str | None,
        typer.Option(help="In place of a share: part of that traffic of which it reads a copy."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away from NAME.")] = False,
    store: StoreOption = STORE,
    as_json: AsJson = False,
) -> None:
    """Give a label to a version, or take it away."""
    with one_line(*FAULTS):
        opened = _open(store)
        name = split_reference(model)[0]
        if remove:
            line = f"{name}:{steering.take_label(opened, name, label)} is not {label} any more"
        else:
            version = opened.resolve(model)
            part = None if share is None else read_share(share)
            copied = None if shadow is None else read_shadow(shadow)
            steering.give_label(opened, version, label, share=part, shadow=copied)
            line = f"{version.reference} is {label}{_describe_part(opened.labels(name), label)}"
    _tell_labels(opened, name, line, as_json=as_json)


@app.command()
def promote(model: Name, store: StoreOption = STORE, as_json: AsJson = False) -> None:
    """Make the canary of a model its stable version."""
    with one_line(*FAULTS):
        opened = _open(store)
        number = steering.promote(opened, model)
    _tell_labels(opened, model, f"{model}:{number} is {STABLE}", as_json=as_json)


@app.command()
def rollback(
    model: Name,
    label: Annotated[str, typer.Option(help="Label that goes back.")] = STABLE,
    store: StoreOption = STORE,
    as_json: AsJson = False,
) -> None:
    """Give a label back to the version that had it before; once more, to the one before that."""
    with one_line(*FAULTS):
        opened = _open(store)
        before, after = steering.roll_back(opened, model, label=label)
    line = f"{model}:{after} is {label} again, in place of {before}"
    _tell_labels(opened, model, line, as_json=as_json)


@app.command()
def prune(
    model: Name,
    keep: Annotated[int, typer.Option(min=1, help="Newest versions that stay.")],
    store: StoreOption = STORE,
    as_json: AsJson = False,
) -> None:
    """Delete old versions. Those with a label stay, and the one that was stable before."""
    with one_line(*FAULTS):
        deleted = _open(store).prune(model, keep=keep)
    line = f"deleted versions of {model}: {', '.join(map(str, deleted)) or 'none'}"
    tell({"model": model, "deleted": deleted}, as_json=as_json, otherwise=lambda: typer.echo(line))


app.command("push")(remotes.push)
app.command("pull")(remotes.pull)


def read_share(text: str) -> float:
    """Return the share that `10%` or `0.1` means.

    Raises:
        ValueError: It is none from 0 to 1, or it is all.
    """
    if not 0 <= (share := _read_part(text)) < 1:
        raise ValueError(f"{text!r} is no share: give 10% or 0.1, and 0 for none")
    return share


def read_shadow(text: str) -> float:
    """Return the part of the traffic that `10%` or `0.1` means; 1 for all.

    Raises:
        ValueError: It is none from 0 to 1.
    """
    if not 0 <= (part := _read_part(text)) <= 1:
        raise ValueError(f"{text!r} is no shadow: give 10%, 0.1 or 100%, and 0 for none")
    return part


def _read_part(text: str) -> float:
    """Return the part that `10%` or `0.1` means, below 0 for none."""
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return -1.0


def _describe_part(labels: VersionLabels, label: str) -> str:
    """Return which part of the traffic a label has, to be added to a line."""
    if part := labels.shares.get(label):
        return f", with {part:.3g} of the traffic that names no label"
    if part := labels.shadows.get(label):
        return f", and reads a copy of {part:.3g} of the traffic that names no label"
    return ""


def _open(folder: Path) -> Store:
    store = Store(folder)
    store.check()
    return store


def _tell_labels(store: Store, name: str, line: str, *, as_json: bool) -> None:
    labels = store.labels(name)
    found = {
        "model": name,
        "labels": labels.versions,
        "shares": labels.shares,
        "shadows": labels.shadows,
    }
    tell(found, as_json=as_json, otherwise=lambda: typer.echo(line))


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else escape_controls(str(value))


def _print_facts(found: Row) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in found.items():
        table.add_row(name, _cell(value))
    _print(table)


def _print(table: Table) -> None:
    Console(markup=False, emoji=False).print(table)  # a class may be named [toxic] or :smile:


if __name__ == "__main__":
    app()

"""The commands `push` and `pull`.

Exit status: 0 the version is where it should be, now or already; 1 it is damaged, here or there; 2
it cannot be as asked; 3 the place does not answer, so the same command may succeed later.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from models import steering
from models.command_line import BAD_INPUT, AsJson, Reference, StoreOption, print_error, tell
from models.errors import FormatTooNew, GatewiseError, RemoteSilent, VersionCorrupt
from models.names import check_label
from models.registry import STORE, Store
from models.remotes import pull as pulling
from models.remotes import push as pushing
from models.remotes.address import read_address
from models.remotes.opening import open_place
from models.remotes.progress import Display

DAMAGED, SILENT = 1, 3
INTERRUPTED = 128 + signal.SIGINT  # as shells have it

_PLACES = (
    "hf://owner/name, s3://bucket/folder, gs://bucket/folder or file:///folder, "
    "each the place of one model"
)


@contextmanager
def _statuses() -> Iterator[None]:
    """End the process with one line and a status that says what kind of fault it is."""
    try:
        yield
    except KeyboardInterrupt:
        print_error("stopped; the same command goes on from here")
        raise typer.Exit(INTERRUPTED) from None
    except (GatewiseError, OSError, ValueError) as error:
        print_error(str(error))
        raise typer.Exit(_status(error)) from None


def _status(error: Exception) -> int:
    if isinstance(error, VersionCorrupt | FormatTooNew):
        return DAMAGED
    return SILENT if isinstance(error, RemoteSilent) else BAD_INPUT


def push(
    model: Reference,
    address: Annotated[
        str,
        typer.Argument(
            help=f"{_PLACES}. @7 after it makes it version 7 there; @stable labels it there."
        ),
    ],
    license: Annotated[
        str | None, typer.Option(help="Licence for the card at the Hub, such as apache-2.0.")
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="Language for the card, such as en; may be repeated.")
    ] = None,
    store: StoreOption = STORE,
    as_json: AsJson = False,
) -> None:
    """Push a version to the Hugging Face Hub, a bucket or a folder.

    It appears there whole or not at all, under its number, and replaces no other version. The same
    command goes on with a push that was broken off. Credentials come from the environment: HF_TOKEN
    or what `hf auth login` has kept, AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS and so on.

    Exit status: 0 it is there, 1 it is damaged here, 2 it cannot be, 3 no answer: try again.
    """
    with _statuses(), Display() as display:
        target = read_address(address)
        opened = Store(store)
        opened.check()
        version = opened.resolve(model)
        place = open_place(target, license=license, languages=tuple(language or ()))
        done = pushing.push(version, target, place=place, observer=display)
    found = {
        "model": version.name,
        "version": version.number,
        "address": str(done.address),
        "sha256": done.sha256,
        "pushed": done.fresh,
    }
    line = f"{version.reference} {'is now' if done.fresh else 'was already'} at {done.address}"
    pinned = f"pin it as {done.address}#sha256={done.sha256}"
    tell(found, as_json=as_json, otherwise=lambda: typer.echo(f"{line}\n{pinned}"))


def pull(
    address: Annotated[
        str,
        typer.Argument(
            help=f"{_PLACES}. @3 after it names version 3, @stable the one with that label; at the "
            "Hub any revision. #sha256=… pins its metadata file."
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the model here; its own if absent.")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Label that the version gets here, such as stable.")
    ] = None,
    store: StoreOption = STORE,
    as_json: AsJson = False,
) -> None:
    """Pull a version from the Hugging Face Hub, a bucket or a folder into the store.

    Without @ it is the version that is stable there, or else the newest one; at the Hub what main
    has. It keeps its number, or gets the next one if another version has that here. If the same
    version is here, nothing is done. The same command goes on with a pull that was broken off.

    Exit status: 0 it is here, 1 it is damaged there, 2 it cannot be, 3 no answer: try again.
    """
    with _statuses(), Display() as display:
        source = read_address(address)
        if label is not None:
            check_label(label)
        opened, place = Store(store), open_place(source)
        done = pulling.pull(opened, source, place=place, observer=display, name=name)
        version = done.version
        if label is not None and opened.labels(version.name).versions.get(label) != version.number:
            steering.give_label(opened, version, label)
    found = {
        "model": version.name,
        "version": version.number,
        "source": done.source,
        "sha256": done.sha256,
        "pulled": done.fresh,
        "folder": str(version.path),
    }
    line = (
        f"{version.reference} {'is now' if done.fresh else 'was already'} here, from {done.source}"
    )
    if label is not None:
        line += f"; it is {label}"
    tell(found, as_json=as_json, otherwise=lambda: typer.echo(line))

"""The command line: `python -m service keys`, which makes, lists, rotates and revokes API keys."""

import json
import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from models.command_line import one_line
from models.errors import GatewiseError
from service.web.access.keys import Key, KeyFile, Rate, Scope, editing

FAULTS = (GatewiseError, OSError, ValueError)  # that the user can correct
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([mhdw])")

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Make, list, rotate and revoke API keys. A running service follows within two seconds.",
)

File = Annotated[Path, typer.Option("--file", envvar="GATEWISE_KEYS", help="File of the keys.")]
KeyId = Annotated[str, typer.Argument(help="Id of the key, as list shows it.")]
FILE = Path("keys.json")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who gets it: a program, a team or a person.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it opens; predict if absent. May be repeated.")
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(help="When it ends, such as 90d, 12h or 2030-01-31; never if absent."),
    ] = None,
    tokens_per_second: Annotated[
        float | None,
        typer.Option(
            help="Tokens a second that may be read with it; as the service sets if absent."
        ),
    ] = None,
    burst_tokens: Annotated[
        float | None,
        typer.Option(help="Tokens that may be read at once; those of ten seconds if absent."),
    ] = None,
    file: File = FILE,
) -> None:
    """Make a key, and write it to standard output. It is shown this once."""
    with one_line(*FAULTS):
        rate = _read_rate(tokens_per_second, burst_tokens)
        end = read_end(expires, now=datetime.now(UTC))
        with editing(file) as editor:
            key, secret = editor.create(
                name, scopes=frozenset(scope or [Scope.PREDICT]), expires=end, rate=rate
            )
    _show_once(key, secret)


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False, file: File = FILE
) -> None:
    """List the keys: their ids, names, scopes and ends. The keys themselves are kept nowhere."""
    with one_line(*FAULTS):
        keys = KeyFile.load(file).keys
    now = datetime.now(UTC)
    rows = [_describe(key, now=now) for key in keys]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        typer.echo("  ".join(str(value) for value in row.values() if value is not None))


@app.command()
def rotate(
    key_id: KeyId,
    grace: Annotated[str, typer.Option(help="How long the old key still opens.")] = "1d",
    file: File = FILE,
) -> None:
    """Make a key that opens the same, and let the old one expire. Both work meanwhile."""
    with one_line(*FAULTS), editing(file) as editor:
        key, secret = editor.rotate(key_id, grace=read_duration(grace))
        old = editor.keys.require(key_id)
    _show_once(key, secret)
    typer.echo(f"{old.id} expires at {old.ends:%Y-%m-%d %H:%M} UTC", err=True)


@app.command()
def revoke(key_id: KeyId, file: File = FILE) -> None:
    """Let a key open nothing from now on."""
    with one_line(*FAULTS), editing(file) as editor:
        key = editor.revoke(key_id)
    typer.echo(f"{key.id} ({key.name}) is revoked")


def read_duration(text: str) -> timedelta:
    """Return the time that `90d`, `12h`, `2w` or `30m` means.

    Raises:
        ValueError: It is none.
    """
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no duration: give 30m, 12h, 90d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def read_end(text: str | None, *, now: datetime) -> datetime | None:
    """Return when a key ends that is made now: after a duration, or on a date in UTC.

    Raises:
        ValueError: It is neither, or lies in the past.
    """
    if text is None:
        return None
    if _DURATION.fullmatch(text):
        try:
            return now + read_duration(text)
        except OverflowError:
            raise ValueError(f"{text} is longer than dates go; leave --expires out") from None
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no end: give 90d, 12h or a date such as 2030-01-31"
        ) from None
    end = end if end.tzinfo else end.replace(tzinfo=UTC)
    if end <= now:
        raise ValueError(f"{text} is in the past; the key would open nothing")
    return end


def _read_rate(per_second: float | None, burst: float | None) -> Rate | None:
    if per_second is None:
        if burst is not None:
            raise ValueError("--burst-tokens needs --tokens-per-second beside it")
        return None
    if not 0 < per_second < math.inf or not 1 <= (burst or 1) < math.inf:
        raise ValueError("a rate needs more than 0 tokens a second, and a burst of 1 at least")
    return Rate.of(per_second, burst=burst)


def _show_once(key: Key, secret: str) -> None:
    """Write the key alone to standard output, so that it can be kept by a program."""
    end = f", until {key.expires:%Y-%m-%d %H:%M} UTC" if key.expires else ""
    opens = ", ".join(sorted(key.scopes))
    typer.echo(f"{key.id} for {key.name}: {opens}{end}. This is shown once:", err=True)
    typer.echo(secret)


def _describe(key: Key, *, now: datetime) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state(now),
        "scopes": ",".join(sorted(key.scopes)),
        "created": key.created.isoformat(timespec="seconds"),
        "expires": key.ends.isoformat(timespec="seconds") if key.ends else None,
        "tokens_per_second": key.rate.tokens_per_second if key.rate else None,
        "burst_tokens": key.rate.burst_tokens if key.rate else None,
    }

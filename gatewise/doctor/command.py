"""The command `doctor`."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from gatewise.doctor.configuration import check_access_and_port, read_settings
from gatewise.doctor.findings import Finding
from gatewise.doctor.machine import check_machine
from gatewise.doctor.packages import check_packages
from gatewise.doctor.versions import check_versions

FAULTY = 1
_STYLES = {"ok": "green", "note": "yellow", "fault": "bold red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")] = False,
) -> None:
    """Say what would serve here, what is wrong or missing, and what mends it.

    Settings are those of the environment, as a service would read them. The exit status is 1 if
    there is a fault.
    """
    with Console(stderr=True).status("looking"):
        findings = list(_look())
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in findings], ensure_ascii=False, indent=2))
    else:
        _print(findings)
    if any(each.level == "fault" for each in findings):
        raise typer.Exit(FAULTY)


def _look() -> Iterator[Finding]:
    settings, found = read_settings()
    return chain(
        check_packages(),
        found,
        check_machine(settings),
        check_access_and_port(settings),
        check_versions(settings),
    )


def _print(findings: list[Finding]) -> None:
    console = Console(soft_wrap=True, highlight=False)  # a command can be copied whole
    for each in findings:
        line = Text(f"{each.level:<5} ", style=_STYLES[each.level])
        console.print(line.append(f"{each.topic:<16} {each.found}", style="default"))
        if each.mend:
            console.print(Text(f"{'':22} → {each.mend}", style="bold"))
    count = sum(each.level == "fault" for each in findings)
    typer.echo(f"{count} fault{'' if count == 1 else 's'}" if count else "nothing is wrong")

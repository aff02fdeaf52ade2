"""Compares the options of the commands of both checkouts."""

import re
from functools import partial

from benchmarks.sameness.checkout import Checkout, Pair
from benchmarks.sameness.report import Difference, Report

PROGRAMS = ("training", "service")
_OPTION = re.compile(r"^│ \*?\s*(-{1,2}[\w-]+(?:(?:,|\s)+-{1,2}[\w-]+)*)\s")
_ARGUMENT = re.compile(r"^│ \*\s+(\w+)\s")
_COMMAND = re.compile(r"^│ ([\w-]+)\s")
_FACT = re.compile(r"\[(?:default: [^\]]*|required|env var: [^\]]*)\]")


def compare_commands(pair: Pair, report: Report) -> None:
    """Compare the commands, their arguments and options, and the defaults in their help."""
    for program in PROGRAMS:
        before, after = pair.both(partial(_list_commands, program=program))
        report.require(f"commands of {program}", before, after)
        if not before:
            raise Difference(f"python -m {program} --help names no commands")
        for command in ((), *((name,) for name in before)):
            what = " ".join(["python -m", program, *command, "--help"])
            found = pair.both(partial(_list_options, program=program, command=command))
            report.require(what, *found)
            if "--help" not in found[0]:
                raise Difference(f"{what} names no options")
            report.same(f"{what}: {len(found[0])} options")


def _list_commands(checkout: Checkout, *, program: str) -> list[str]:
    page = checkout.run_well("-m", program, "--help")
    _, _, listed = page.partition("─ Commands ─")
    return sorted(match[1] for line in listed.splitlines() if (match := _COMMAND.match(line)))


def _list_options(
    checkout: Checkout, *, program: str, command: tuple[str, ...]
) -> dict[str, list[str]]:
    """Return the facts on each option without its text: its default, and whether it is required."""
    found: dict[str, list[str]] = {}
    options, _, _ = checkout.run_well("-m", program, *command, "--help").partition("─ Commands ─")
    for line in options.splitlines():
        if match := _OPTION.match(line) or _ARGUMENT.match(line):
            names = " ".join(sorted(re.split(r"[,\s]+", match[1])))
            found[names] = sorted(_FACT.findall(line))
    return found

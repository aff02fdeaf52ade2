"""Formats figures for people, on the page, in the terminal and in sentences."""

import math
from collections.abc import Mapping
from typing import Any

NONE = "–"
SPACE = "\N{NO-BREAK SPACE}"

MEASURE = {
    "accuracy": "accuracy",
    "subset_accuracy": "subset accuracy",
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
}


def _is_share(name: str) -> bool:
    return name.endswith("accuracy")


def percent(value: float | None, *, digits: int = 1) -> str:
    """Write a share: `90.0 %`. Only exactly 1 is 100 %."""
    return f"{_percentage(value, digits=digits)}{SPACE}%" if value is not None else NONE


def _percentage(value: float, *, digits: int = 1) -> str:
    """Write 100 times a share; never round it to 0 or 100."""
    written = f"{100 * value:.{digits}f}"
    if value < 1 and float(written) == 100:
        return f"> {100 - 10**-digits:.{digits}f}"
    if value > 0 and float(written) == 0:
        return f"< {10**-digits:.{digits}f}"
    return written


def decimal(value: float | None, *, digits: int = 3) -> str:
    """Write a figure: `0.900`."""
    return NONE if value is None else f"{value:.{digits}f}"


def number(value: float | None) -> str:
    """Write a count: `25,000`."""
    return NONE if value is None else f"{value:,.0f}"


def amount(value: float | None) -> str:
    """Write a measurement to three digits: `1.23`, `12.3`, `123`, `1,234`."""
    if value is None:
        return NONE
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def figure(value: float | None, name: str) -> str:
    """Write a figure of the measure `name`: accuracies in percent, the others as decimals."""
    return percent(value) if _is_share(name) else decimal(value)


def interval(found: Mapping[str, Any], name: str) -> str:
    """Write the 95 % interval of a figure of the measure `name`: `89.6 to 90.3`."""
    if found["low"] is None:
        return NONE
    write = _percentage if _is_share(name) else decimal
    return f"{write(found['low'])} to {write(found['high'])}"


def lead(value: float, name: str, *, signed: bool = False) -> str:
    """Write the difference of two figures of the measure `name`: `1.2 points of accuracy`."""
    written = apart(value if signed else abs(value), name, plus=signed)
    return f"{written} {'points of' if _is_share(name) else 'in'} {MEASURE[name]}"


def apart(value: float | None, name: str, *, plus: bool = False) -> str:
    """Write a difference of the measure `name`; percentage points for accuracies."""
    if value is None or math.isnan(value):
        return NONE
    written = f"{100 * value:.1f}" if _is_share(name) else f"{value:.3f}"
    if not float(written):
        return written.lstrip("-")
    return ("+" if plus and value > 0 else "") + written.replace("-", "−")


def evidence(difference: Mapping[str, Any], name: str) -> str:
    """Write interval and p of a difference, with the sign of the better one's lead."""
    ends = [difference["low"], difference["high"]]
    if difference["value"] < 0 and difference["p"] < 0.05:
        ends = [-end for end in reversed(ends)]
    low, high = (apart(end, name) for end in ends)
    return f"95{SPACE}% {low} to {high}, {p_value(difference)}"


def p_value(difference: Mapping[str, Any], *, bare: bool = False) -> str:
    """Write a p: `p = 0.3`, `p = 2e−9`, `p ≤ 0.002`; bare: `0.3`, `2e−9`, `≤ 0.002`."""
    p, sign = difference["p"], "≤" if difference["at_most"] else "="
    if p < 1e-300:
        p, sign = 1e-300, "<"
    mantissa, e, exponent = f"{p:.0e}".partition("e") if p < 1e-4 else (f"{p:.2g}", "", "")
    written = mantissa + (f"e−{-int(exponent)}" if e else "")
    if bare and sign == "=":
        return written
    return ("" if bare else f"p{SPACE}") + f"{sign}{SPACE}{written}"


def duration(seconds: float | None) -> str:
    """Write a time: `42 s`, `4 min 4 s`, `2 h 5 min`."""
    if seconds is None:
        return NONE
    if seconds < 60:
        return f"{seconds:.0f}{SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{SPACE}min {rest}{SPACE}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{SPACE}h {minutes}{SPACE}min"

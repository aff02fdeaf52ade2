"""Prints a learning curve and what it says about more labels."""

from rich.table import Table

from training.console import console
from training.labelling.curve import Curve
from training.report import words


def print_curve(curve: Curve) -> None:
    """Print the points, the forecasts and the verdict."""
    name = curve.measure.replace("_", "-")
    table = Table("rows", name, "95 %", "linear baseline", "lead", box=None)
    for column in table.columns[:2]:
        column.justify = "right"
    for point in curve.points:
        table.add_row(
            f"{point.rows:,}",
            _percent(point.network["value"]),
            f"{_percent(point.network['low'])} to {_percent(point.network['high'])}",
            _percent(point.baseline["value"]),
            f"{100 * point.lead['value']:+.1f}",
        )
    for forecast in curve.ahead:
        interval = f"{_percent(forecast.low)} to {_percent(forecast.high)}"
        table.add_row(f"{forecast.rows:,}", _percent(forecast.value), interval, "", "expected")
    console.print(table)
    console.print(
        f"{name} on {curve.judged:,} validation rows, which also chose the epochs; "
        f"{curve.draws} draws of each number of rows"
    )
    for line in describe(curve):
        console.print(line)


def describe(curve: Curve) -> list[str]:
    """Return in words what twice the rows are likely to bring, and how far to trust it."""
    if not curve.ahead:
        return ["too few numbers of rows for an extrapolation; it takes four"]
    twice, now = curve.ahead[0], curve.points[-1].network["value"]
    lines = [
        f"by the curve through these points, twice the rows bring {100 * twice.gain:.1f} points "
        f"(95 % {100 * twice.least:.1f} to {100 * twice.most:.1f})"
    ]
    if (seen := curve.hindsight) is not None:
        inside = seen.low <= now <= seen.high
        lines.append(
            f"from fewer rows {_percent(seen.value)} was to be expected at {seen.rows:,} "
            f"({_percent(seen.low)} to {_percent(seen.high)}), and it came to {_percent(now)}"
            + ("" if inside else ": trust the extrapolation less")
        )
    return lines


def _percent(value: float) -> str:
    return f"{100 * value:.1f}{words.SPACE}%"

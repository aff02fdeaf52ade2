"""Prints a learning curve and what it says about more labels."""

from rich.table import Table

from training.console import console
from training.labelling.curve import Curve
from training.report import words


def print_curve(curve: Curve) -> None:
    """Print the points, the forecasts and the verdict."""
    name = words.MEASURE[curve.measure]
    table = Table("rows", name, "95 %", "linear baseline", "lead", box=None)
    for column in table.columns[:2]:
        column.justify = "right"
    for point in curve.points:
        table.add_row(
            f"{point.rows:,}",
            words.percent(point.network["value"]),
            f"{words.percent(point.network['low'])} to {words.percent(point.network['high'])}",
            words.percent(point.baseline["value"]),
            f"{100 * point.lead['value']:+.1f}",
        )
    for forecast in curve.ahead:
        interval = f"{words.percent(forecast.low)} to {words.percent(forecast.high)}"
        table.add_row(f"{forecast.rows:,}", words.percent(forecast.value), interval, "", "expected")
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
        range = f"{words.percent(seen.low)} to {words.percent(seen.high)}"
        lines.append(
            f"from fewer rows {words.percent(seen.value)} was to be expected at {seen.rows:,} "
            f"({range}), and it came to {words.percent(now)}"
            + ("" if inside else ": trust the extrapolation less")
        )
    return lines

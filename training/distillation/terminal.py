"""Says in the terminal what a student learned from its teacher."""

from training.console import console
from training.distillation.figures import Distillation
from training.report import words
from training.report.measures import Estimate


def print_distillation(found: Distillation) -> None:
    """Print the scores of teacher and students, and where the student is enough."""
    measure, student = found["measure"], found["students"][-1]
    parts = [
        f"teacher {_figure(found['score'], measure)}",
        f"student {_figure(student['score'], measure)}",
    ]
    alone = found["students"][0]
    if alone is not student:
        parts.append(f"student without teacher {_figure(alone['score'], measure)}")
    console.print(
        f"{words.MEASURE[measure]} on {found['rows']:,} {found['purpose']} rows: {', '.join(parts)}"
    )
    if gap := found["gap"]:
        console.print(f"{words.percent(gap['value'], digits=0)} of the gap is closed")
    agreed = words.percent(student["agreement"]["value"])
    line = f"student and teacher agree on {agreed} of the rows"
    if sure := found["certainty"]:
        line += (
            f", and on {words.percent(sure['agreement']['value'])} of the "
            f"{words.percent(sure['coverage']['value'])} where the student's certainty is "
            f"{sure['threshold']:.2f} or more"
        )
    console.print(line)


def _figure(found: Estimate, measure: str) -> str:
    return f"{words.figure(found['value'], measure)} ({words.interval(found, measure)})"

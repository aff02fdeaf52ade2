"""The command line `python -m gatewise.doctor`, for an image that has no training."""

import typer

from gatewise.doctor.command import doctor

if __name__ == "__main__":
    typer.run(doctor)

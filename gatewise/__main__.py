"""Starts the program `gatewise`, or says in one line why it cannot start."""

import sys

BAD_INPUT = 2


def run() -> None:
    """Run the program.

    A package that is missing, or too old to be imported, is named; no other command could say it.
    """
    try:
        import service  # noqa: F401  # decides with how many threads NumPy computes, so it comes first
        from gatewise.program import run_program
    except ImportError as error:
        sys.stderr.write(f"error: this installation is incomplete ({error}); install it again\n")
        sys.exit(BAD_INPUT)
    run_program()


if __name__ == "__main__":
    run()

"""Says what tuning needs, before any work."""

from training.errors import TrainingError


def check_installed() -> None:
    """Raise TrainingError if Optuna is missing."""
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise TrainingError(
            f"tuning needs Optuna, which cannot be imported ({error}); make setup installs it, "
            "and so does python -m pip install optuna"
        ) from error

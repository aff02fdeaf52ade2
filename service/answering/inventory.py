"""Which versions and labels there are, as the metrics list them."""

from service.answering.catalog import Loaded
from service.metrics import Metrics


def show_inventory(loaded: Loaded, metrics: Metrics) -> None:
    """Tell the metrics what is loaded, what failed, and which version has which label."""
    entries = [
        (name, str(number), entry)
        for name, model in loaded.items()
        for number, entry in model.entries.items()
    ]
    metrics.show_versions(
        loaded=[
            (name, number, entry.classifier.runner.engine.name)
            for name, number, entry in entries
            if entry.classifier is not None
        ],
        failed=[(name, number) for name, number, entry in entries if entry.classifier is None],
        labels=[
            (name, label, str(number))
            for name, model in loaded.items()
            for label, number in model.labels.items()
        ],
        unlabelled=[(name,) for name, model in loaded.items() if model.fault is not None],
    )

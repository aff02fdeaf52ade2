"""The folders of a comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.alternatives.lineup import Alternative


@dataclass(frozen=True)
class Places:
    """The folders of a comparison.

    Args:
        data: Folder with a folder of each dataset.
        store: Store of the version that is not shipped.
        work: Folder of fitted models and environments.
        sources: Folder by name of what an alternative starts from; None where there is none.
    """

    data: Path
    store: Path
    work: Path
    sources: Mapping[str, Path | None] = field(default_factory=dict)

    @property
    def environments(self) -> Path:
        """The folder of the environments."""
        return self.work.resolve() / "environments"

    def lacks(self, alternative: Alternative) -> bool:
        """Return whether there is nothing that the alternative could start from."""
        return alternative.source is not None and self.sources.get(alternative.source) is None

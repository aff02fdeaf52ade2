"""Where something comes from that a network learned from, for metadata and model cards."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The origin of vectors, of a network or of labels.

    Args:
        name: File, folder, Hub id or version; a path is cut to its last part.
        revision: Commit at the Hub; None for what is local.
        sha256: Hash of all that decides what is learned from it.
        license: As it names it itself; None where it names none.
    """

    name: str
    revision: str | None
    sha256: str
    license: str | None

    @property
    def title(self) -> str:
        """Its name, with its licence if it names one."""
        return f"{self.name} ({self.license})" if self.license else self.name

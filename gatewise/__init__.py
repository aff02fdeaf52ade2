"""One program for the packages `models`, `service` and `training`.

A wheel installs only this package. The three are in its folder `packages`, so that they collide
with no `models` of somebody else. Whoever imports it finds them from then on.
"""

import sys
from pathlib import Path

_PACKAGES = Path(__file__).parent / "packages"

if _PACKAGES.is_dir():  # in a clone they lie beside it
    sys.path.insert(0, str(_PACKAGES))


def find_packages() -> None:
    """Do nothing: to import this package is enough. Processes of a cluster call it first."""

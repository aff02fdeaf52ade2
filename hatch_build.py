"""Adds the compiled native engine to a wheel; hatchling runs this, in an environment of its own."""

import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GLIBC = "2.17"
"""The oldest that the libraries run with; zig brings it along. aarch64 has no older one."""


class NativeEngineHook(BuildHookInterface[Any]):
    """Compiles the native engine, and says in the name of the wheel where it runs."""

    _scratch: "tempfile.TemporaryDirectory[str] | None" = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into a folder of its own: the libraries of the checkout stay as they are."""
        if version == "editable" or sys.platform != "linux":
            return
        sys.path.insert(0, self.root)
        from service.engines.native.compilation import FOLDER, compile_all

        machine = platform.machine()
        # Without -target, zig compiles for the processor and the glibc of this machine alone.
        target = f"{machine}-linux-gnu.{GLIBC}"
        compiler = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-s"]
        compiler += ["-nostdlib", "-lc"]  # no runtime of zig: it takes long, and is not needed
        self._scratch = tempfile.TemporaryDirectory()
        place = Path("gatewise/packages") / FOLDER.relative_to(self.root)
        for path in compile_all(compiler=compiler, folder=Path(self._scratch.name)):
            build_data["force_include"][str(path)] = str(place / path.name)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-manylinux_{GLIBC.replace('.', '_')}_{machine}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Delete what was compiled; the wheel has it now."""
        if self._scratch:
            self._scratch.cleanup()

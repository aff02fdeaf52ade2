"""Compiles the library, once for each instruction set of this architecture."""

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from models.errors import GatewiseError

SOURCE = Path(__file__).parent / "source"
FOLDER = Path(__file__).parent / "compiled"
PORTABLE = "portable"
FLAGS = (
    *("-std=c11", "-O3", "-shared", "-fPIC", "-fvisibility=hidden"),
    "-ffp-contract=off",  # the same bits on every processor
    *("-fno-trapping-math", "-fno-math-errno"),  # or loops with conditions stay scalar
    *("-Wall", "-Wextra", "-Wno-psabi"),
)


@dataclass(frozen=True)
class InstructionSet:
    """Instructions beyond those that every processor of an architecture has.

    Args:
        name: Its name in files; source/processor.c knows it too.
        flags: Of the compiler. Never -march=native: the library may run elsewhere.
        machines: Architectures that have it, as `platform.machine()` names them; all if empty.
    """

    name: str
    flags: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()


X86 = ("x86_64", "AMD64")
_VNNI = tuple(f"-mavx512{part}" for part in ("f", "bw", "vl", "dq", "vnni"))
INSTRUCTION_SETS = (
    InstructionSet("avx512vnni", (*_VNNI, "-mprefer-vector-width=512"), X86),
    InstructionSet("avx2", ("-mavx2",), X86),
    InstructionSet(PORTABLE),
)
"""The best first."""


class CannotCompile(GatewiseError):
    """There is no compiler, or it refuses the sources."""


def library_path(name: str) -> Path:
    """Return where the library of an instruction set is, built from the sources as they are."""
    digest = hashlib.sha256(repr(FLAGS).encode())
    for path in sorted(SOURCE.iterdir()):
        digest.update(path.read_bytes())
    return FOLDER / f"gatewise-{name}-{digest.hexdigest()[:12]}.so"


def compile_all(*, compiler: Sequence[str], folder: Path = FOLDER) -> list[Path]:
    """Compile the libraries that are not there yet for this architecture; return all of them.

    Args:
        compiler: Command of a C compiler.
        folder: Where to put them.

    Raises:
        CannotCompile: The compiler fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [each for each in INSTRUCTION_SETS if _is_possible(each)]
    paths = [folder / library_path(each.name).name for each in wanted]
    with ThreadPoolExecutor(len(wanted)) as pool:
        list(pool.map(lambda each, path: _compile(compiler, each, path), wanted, paths))
    return paths


def _is_possible(instructions: InstructionSet) -> bool:
    return not instructions.machines or platform.machine() in instructions.machines


def _compile(compiler: Sequence[str], instructions: InstructionSet, path: Path) -> None:
    if path.exists():
        return
    part = path.with_suffix(f".{os.getpid()}")
    sources = map(str, sorted(SOURCE.glob("*.c")))
    command = [*compiler, *FLAGS, *instructions.flags, *sources, "-lm", "-o", str(part)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CannotCompile(f"{compiler[0]} does not run: {error.strerror}") from error
    if ran.returncode != 0:
        part.unlink(missing_ok=True)
        raise CannotCompile(f"{shlex.join(command)} failed:\n{ran.stderr}")
    part.replace(path)


def find_compiler() -> list[str]:
    """Return the command of the C compiler: that of CC, or else cc.

    Raises:
        CannotCompile: There is none.
    """
    command = shlex.split(os.environ.get("CC") or "cc")
    if shutil.which(command[0]) is None:
        raise CannotCompile(f"there is no C compiler: {command[0]} is not in the path")
    return command

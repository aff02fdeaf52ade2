"""Fuzzes the C code under AddressSanitizer and UndefinedBehaviorSanitizer.

`python -m tests.service.engines.native.sanitizers --calls 34000 --seed 1` compiles the sources for
each instruction set of this processor, and for wide vectors in plain C, and makes so many calls of
each; see fuzz/__main__.py. A line for each tells what was done. Standard error has the report of
the first fault, and the classifier that it came with.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from service.engines.native.compilation import (
    FLAGS,
    INSTRUCTION_SETS,
    SOURCE,
    InstructionSet,
)
from tests.training.loader import uncovered_environment

ROOT = Path(__file__).resolve().parents[4]
COMPILER = "gcc"
SANITIZED = (
    *(flag for flag in FLAGS if not flag.startswith("-O")),
    *("-O1", "-g", "-fno-omit-frame-pointer"),
    *("-fno-var-tracking", "-fira-region=one"),  # half the time of compilation
    "-fsanitize=address,undefined,float-cast-overflow",
    "-fno-sanitize-recover=all",
)
PLAIN = InstructionSet("plain", ("-DGATEWISE_PLAIN",))  # wide vectors in plain C
NEEDED = {  # flags of the processor, as Linux names them
    "avx2": {"avx2"},
    "avx512vnni": {"avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vnni"},
}
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:redzone=512:quarantine_size_mb=64",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "PYTHONMALLOC": "malloc",
    "OPENBLAS_NUM_THREADS": "1",
}
LIBRARIES = ("libasan.so", "libubsan.so")
SHOWN = 6_000  # characters of a report

# texts.c takes one block for all arrays of a call, inside which ASan sees no step from one array
# into the next. Here each has forbidden bytes behind it. A first pass only counts, from a low
# address on.
TAKE = "  *free_bytes += padded(bytes);\n"
GUARDED_TAKE = """\
  *free_bytes += padded(bytes) + 512;
  if ((size_t)taken > 1u << 30)
    __asan_poison_memory_region((char*)taken + bytes, padded(bytes) - bytes + 512);
"""
GUARDS = "#include <sanitizer/asan_interface.h>\n"


class Unsound(AssertionError):
    """A sanitizer or a check of the fuzzer has found a fault; the message has the report."""


def why_not() -> str | None:
    """Return why nothing can be fuzzed here; None if it can."""
    if shutil.which(COMPILER) is None:
        return f"there is no {COMPILER}"
    missing = [name for name in LIBRARIES if not Path(_find(name)).is_absolute()]
    return f"{COMPILER} has no {' and no '.join(missing)}" if missing else None


def builds() -> list[InstructionSet]:
    """Return what can be fuzzed on this processor."""
    found = Path("/proc/cpuinfo")
    flags = set(found.read_text().split()) if found.is_file() else set()
    fit = [
        each
        for each in INSTRUCTION_SETS
        if (not each.machines or platform.machine() in each.machines)
        and NEEDED.get(each.name, set()) <= flags
    ]
    return [*fit, PLAIN]


def compile_sanitized(folder: Path, *, source: Path = SOURCE) -> dict[str, Path]:
    """Compile the sources with sanitizers, in parallel; return the libraries by name.

    Args:
        folder: Where to put them, and a copy of the sources.
        source: Where the sources are.

    Raises:
        Unsound: The compiler refuses them.
    """
    copy = shutil.copytree(source, folder / "source")
    _guard(copy / "texts.c")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        paths = pool.map(lambda build: _compile(build, source=copy, folder=folder), builds())
        return {path.stem: path for path in paths}


def _guard(path: Path) -> None:
    """Keep the arrays of a call apart."""
    text = path.read_text()
    if text.count(TAKE) != 1:
        raise Unsound(f"{path.name} lays out memory in another way; change GUARDED_TAKE for it")
    path.write_text(GUARDS + text.replace(TAKE, GUARDED_TAKE))


def _compile(build: InstructionSet, *, source: Path, folder: Path) -> Path:
    path = folder / f"{build.name}.so"
    sources = map(str, sorted(source.glob("*.c")))
    command = [COMPILER, *SANITIZED, *build.flags, *sources, "-lm", "-o", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unsound(f"{build.name} does not compile:\n{done.stderr}")
    return path


def fuzz(
    library: Path, *, calls: int, seed: int, long_text: int = 0, timeout: float | None = None
) -> dict[str, Any]:
    """Make calls of a library in a process of its own; return what was done.

    Args:
        library: One that `compile_sanitized` has made.
        calls: How many at least.
        seed: Of everything that is drawn.
        long_text: Tokens of three more texts.
        timeout: Seconds after which to give up.

    Raises:
        Unsound: Something is wrong.
    """
    options = {"library": library, "calls": calls, "seed": seed, "long-text": long_text}
    done = run_python(
        *("-m", "tests.service.engines.native.fuzz", "--verbose"),
        *(f"--{name}={value}" for name, value in options.items()),
        timeout=timeout,
    )
    if done.returncode != 0:
        raise Unsound(f"{library.stem}: status {done.returncode}\n{_report(done.stderr)}")
    summary: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return summary


def run_python(*arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    """Run a Python that can load a library with sanitizers."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=uncovered_environment(**OPTIONS, LD_PRELOAD=_find("libasan.so")),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def _report(stderr: str) -> str:
    """Return the last classifier and what follows."""
    start = max(stderr.rfind("\nclassifier "), 0)
    return stderr[start : start + SHOWN].strip()


def _find(library: str) -> str:
    """Return the path of a library of the compiler; its name alone if there is none."""
    asked = [COMPILER, f"-print-file-name={library}"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def fuzz_all(
    libraries: dict[str, Path], *, calls: int, seed: int, long_text: int = 0
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Fuzz one library after the other; yield its name and what was done.

    Raises:
        Unsound: Something is wrong, or libraries differ in a bit.
    """
    digests = set()
    for name, path in libraries.items():
        done = fuzz(path, calls=calls, seed=seed, long_text=long_text)
        digests.add(done["digest"])
        if len(digests) > 1:
            raise Unsound(f"{name} gives other bits than those before it: {done}")
        yield name, done


def main() -> int:
    """Compile and fuzz; return the exit status."""
    parser = argparse.ArgumentParser(description="Fuzz the native engine under sanitizers.")
    parser.add_argument("--calls", type=int, default=34_000, help="of each library, at least")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn")
    parser.add_argument("--long-text", type=int, default=0, help="tokens of three more texts")
    parser.add_argument("--source", type=Path, default=SOURCE, help="other sources")
    asked = parser.parse_args()
    if (reason := why_not()) is not None:
        sys.stderr.write(f"nothing is fuzzed: {reason}\n")
        return 1
    try:
        with tempfile.TemporaryDirectory() as folder:
            libraries = compile_sanitized(Path(folder), source=asked.source)
            start = time.monotonic()
            for name, done in fuzz_all(
                libraries, calls=asked.calls, seed=asked.seed, long_text=asked.long_text
            ):
                sys.stdout.write(f"{name}: {json.dumps(done)}, {time.monotonic() - start:.0f} s\n")
                sys.stdout.flush()
    except Unsound as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

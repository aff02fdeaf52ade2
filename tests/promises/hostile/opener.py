"""Opens versions that may be hostile, one after the other, in a process that is watched.

Reads folders from standard input, a line each, and writes a line of JSON for each. The hook of
Python's audit events notes whatever a version makes this process do that it must not do.
"""

import json
import math
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

from models.errors import GatewiseError
from models.versions import Version
from service.engines.batched import compute
from service.engines.cost import measure_cost
from service.engines.loading import open_engine

ROOM = 1 << 30  # bytes of memory beyond what the process has when it starts
PATIENCE = 20  # seconds for a version, in the process; whoever started it waits a little longer
FORBIDDEN = (
    *("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system"),
    *("ctypes.dlopen", "pickle.", "pty.", "os.remove", "os.rename", "os.chmod", "os.link"),
    *("os.symlink", "os.mkdir", "os.rmdir", "os.truncate", "shutil.", "webbrowser.", "urllib."),
)
OWN = tuple(str(Path(place).resolve()) for place in (sys.prefix, sys.base_prefix, Path.cwd()))
TEXTS = ["a good film, not bad", "电影 films é 8!", "bad " * 40]


class Guard:
    """Notes what must not be done while a version is opened."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.violations: list[str] = []
        self.scratch = str(Path(os.environ["TMPDIR"]).resolve())
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if self.folder is None:
            return
        allowed = _may_open(self, *args) if event == "open" else not event.startswith(FORBIDDEN)
        if not allowed:
            self.violations.append(f"{event} {args!r:.200}")

    def may_read(self, path: str) -> bool:
        own = path.startswith(OWN) and path.endswith(
            (".py", ".pyc", ".so", ".c", ".h")
        )  # late imports
        return own or path.startswith(f"{self.folder}/") or path == self.scratch


def _may_open(guard: Guard, path: object, _mode: object, flags: int) -> bool:
    if isinstance(path, int):
        return True
    whole = os.path.abspath(os.fsdecode(path))  # type: ignore[arg-type]
    if flags & (os.O_WRONLY | os.O_RDWR):
        return whole.startswith(guard.scratch)  # the table of the native engine
    return guard.may_read(whole)


def open_version(folder: Path) -> dict[str, Any]:
    """Return what each engine answers, or why it refuses."""
    outcome: dict[str, Any] = {}
    for kind in ("native", "onnx"):
        try:
            version = Version(folder)
            version.verify()
            engine = open_engine(version, kind=kind).engine
            state = version.metadata.state
            measure_cost(engine, state)
            ids = version.tokenizer.encode_batch(TEXTS)
            found = compute(engine, ids, state=state).tolist()
            outcome[kind] = found
        except (GatewiseError, OSError, MemoryError) as error:
            outcome[kind] = f"{type(error).__name__}: {error}"
        except Exception as error:  # the catalog takes these too, but logs a traceback
            outcome[kind] = f"UNFORESEEN {type(error).__name__}: {error}"
    return outcome


def is_finite(found: Any) -> bool:
    """Whether probabilities are such."""
    return all(math.isfinite(p) and -1e-6 <= p <= 1 + 1e-6 for row in found for p in row)


def main() -> None:
    guard = Guard()
    warm = Path(sys.argv[1])
    assert all(isinstance(each, list) for each in open_version(warm).values()), open_version(warm)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    say("ready")
    for line in sys.stdin:
        guard.folder, guard.violations = line.strip(), []
        signal.alarm(PATIENCE)  # whose default is to end the process
        began = time.perf_counter()
        outcome = open_version(Path(guard.folder))
        signal.alarm(0)
        guard.folder = None
        for kind, found in list(outcome.items()):
            if isinstance(found, list) and not is_finite(found):
                guard.violations.append(f"{kind} answers {found!r:.100}")
        report = {"seconds": time.perf_counter() - began, "violations": guard.violations}
        say(json.dumps(outcome | report | {"peak": peak_megabytes()}))


def peak_megabytes() -> int:
    """Return the most memory that this process had; `getrusage` counts what its parent had too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

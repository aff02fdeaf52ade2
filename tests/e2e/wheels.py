"""Uses the wheels as a newcomer would: in empty environments, far from the clone.

`python -m tests.e2e.wheels FOLDER` installs the wheels of a folder. It needs only the standard
library, and prints what took how long.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

QUESTION = """
import sys
from gatewise_client import Client
with Client(sys.argv[1]) as client:
    print(client.predict("An unforgettable film.")["label"])
"""


def main() -> None:
    """Install, serve, ask, and see what training says that it lacks."""
    program, client = (_find(name) for name in ("gatewise-", "gatewise_client-"))
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        started = time.monotonic()
        command = _install(home / "program", program) / "gatewise"
        asks = _install(home / "client", client) / "python"
        _tell("installed", since=started)
        with _serving(command, home=home) as url:
            asked = _run([asks, "-c", QUESTION, url], home=home)
            assert asked.stdout == "pos\n", asked
            _tell("answered", since=started)
        _expect_one_line(command, home=home)
        found = json.loads(_run([command, "doctor", "--json"], home=home).stdout)
        assert not [each for each in found if each["level"] == "fault"], found
        engine = next(each["found"] for each in found if each["topic"] == "imdb-gru:1")
        assert engine == "the native engine", engine
        _expect_no_collision(home)
    sys.stdout.write("the wheels work\n")


def _find(name: str) -> Path:
    (wheel,) = Path(sys.argv[1]).resolve().glob(f"{name}*.whl")
    return wheel


def _install(folder: Path, wheel: Path) -> Path:
    """Return the folder of the programs of a new environment with this wheel."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    subprocess.run([folder / "bin/python", *install, wheel], check=True)
    return folder / "bin"


@contextmanager
def _serving(command: Path, *, home: Path) -> Iterator[str]:
    """Yield the address of a service, once it is ready."""
    served = subprocess.Popen(
        [command, "serve", "--port=0"],
        cwd=home,
        env=_environment(home),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert served.stderr
        said: list[str] = []
        for line in served.stderr:
            said.append(line)
            if "is ready with the native engine" in line:
                break
        else:
            raise AssertionError("".join(said))
        yield next(line.split()[-1] for line in said if "running on" in line)
    finally:
        served.terminate()
        served.communicate(timeout=30)


def _expect_one_line(command: Path, *, home: Path) -> None:
    """See that a training says in one line what to install."""
    (home / "x.csv").write_text("text,label\ngood,1\nbad,0\n")
    done = _run([command, "train", "--dataset", "x.csv"], home=home)
    assert done.returncode == 2, done
    (line,) = done.stderr.splitlines()
    assert "gatewise[training]" in line, line
    sys.stdout.write(f"{line}\n")


def _expect_no_collision(home: Path) -> None:
    """See that the program leaves the usual names to others."""
    script = "import importlib.util as u\n"
    script += "assert not any(map(u.find_spec, ('models', 'service', 'training')))"
    done = _run([home / "program/bin/python", "-c", script], home=home)
    assert done.returncode == 0, done.stderr


def _run(command: list[Path | str], *, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=home,
        env=_environment(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _environment(home: Path) -> dict[str, str]:
    """Return the environment of a user who has set nothing of ours."""
    ours = ("GATEWISE_", "XDG_", "PYTHONPATH", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"HOME": str(home)}


def _tell(what: str, *, since: float) -> None:
    sys.stdout.write(f"{what} after {time.monotonic() - since:.0f} s\n")


if __name__ == "__main__":
    main()

"""Whatever is sent, the service answers as its OpenAPI document says.

Schemathesis reads the document, and makes requests that fit it and requests that do not.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.web.access.keys import Scope, editing
from tests.e2e.server import ROOT, running
from tests.effort import Effort
from tests.promises.shipped import MODEL, STORE

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed"
    ),
]

CONFIG = Path(__file__).with_name("schemathesis.toml")
COMMAND = (sys.executable, "-c", "from schemathesis.cli import schemathesis as run; run()")


def test_every_answer_is_documented(effort: Effort, tmp_path: Path) -> None:
    examples = effort(short=12, long=1_300)
    phases = ["examples", "coverage", "fuzzing"]
    chosen = ",".join(phases[:: effort(short=2, long=1)])
    store = tmp_path / "store"  # which what is sent may change
    shutil.copytree(STORE / MODEL, store / MODEL)
    with editing(tmp_path / "keys.json") as editor:
        _, secret = editor.create("all", scopes=frozenset(Scope))
    settings = {"GATEWISE_MODEL": MODEL, "GATEWISE_KEYS": str(tmp_path / "keys.json")}
    with running(store, **settings) as server:
        server.wait_until_ready()
        run = subprocess.run(
            [
                *(*COMMAND, "--config-file", str(CONFIG)),
                *("run", str(ROOT / "docs" / "openapi.json")),
                *("--url", f"http://127.0.0.1:{server.port}"),
                *("--header", f"Authorization: Bearer {secret}"),
                *("--phases", chosen),
                *("--max-examples", str(examples)),
                *("--generation-database", "none", "--seed", "26"),
            ],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            text=True,
        )
        log = "".join(server.log)
    assert run.returncode == 0, run.stdout + run.stderr
    found = re.search(r"([\d,]+) generated", run.stdout)
    assert found is not None, run.stdout
    assert int(found[1].replace(",", "")) >= effort(short=30, long=10_000)
    assert "Traceback" not in log

"""The document that clients are generated from is the one that the service gives."""

import json
from pathlib import Path

from typer.testing import CliRunner

from service.__main__ import app

WRITTEN = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def test_the_committed_document_is_current() -> None:
    given = CliRunner().invoke(app, ["openapi"], env={"GATEWISE_ROOT_PATH": ""})
    assert given.exit_code == 0
    assert json.loads(given.stdout) == json.loads(WRITTEN.read_text()), "run: make openapi"


def test_routes_say_which_keys_they_take() -> None:
    document = json.loads(WRITTEN.read_text())
    schemes = document["components"]["securitySchemes"]
    assert schemes["bearer"]["scheme"] == "bearer"
    assert schemes["header"] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    either: list[dict[str, list[str]]] = [{name: []} for name in schemes]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path in ("/livez", "/readyz", "/explanations"):
                assert "security" not in operation
            else:  # without keys a service lets nobody steer it, and all ask
                needed = either if path.startswith("/admin/") else [*either, {}]
                assert operation["security"] == needed


def test_every_route_says_how_it_fails() -> None:
    for path in json.loads(WRITTEN.read_text())["paths"].values():
        for operation in path.values():
            assert {"400", "408", "431", "500", "503"} <= operation["responses"].keys()

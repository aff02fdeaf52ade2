from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from service.web.app import create_app
from tests.versions import publish, serve_with_counting_engine


@pytest.fixture(autouse=True)
def counting_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every version be computed by an engine that can be checked by hand."""
    serve_with_counting_engine(monkeypatch)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"GATEWISE_{name.upper()}", raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    publish(tmp_path)
    return tmp_path


@pytest.fixture
def client(store: Path) -> Iterator[TestClient]:
    settings = Settings(
        store=store, max_body_bytes=2_000, max_chars=500, max_texts=5, poll_seconds=0.01, threads=2
    )
    app = create_app(settings)
    app.state.service.catalog.refresh()
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client

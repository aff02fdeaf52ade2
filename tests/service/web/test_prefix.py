"""Behind a proxy that offers the service below a path, and keeps that path or takes it off."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError
from starlette.routing import Mount, Route, WebSocketRoute

from service.settings import OWN_PATHS, Settings
from service.web.app import create_app

PREFIXES = ["/gatewise", "/team/a-1/~gatewise"]


class Proxied:
    """A service below a prefix, and the path on which a proxy asks it for another path."""

    def __init__(self, client: TestClient, prefix: str, *, strips: bool) -> None:
        self.client, self.prefix = client, prefix
        self._strips = strips

    def inner(self, path: str) -> str:
        """Return what the service is asked for where a browser asks for this path."""
        assert path.startswith(f"{self.prefix}/"), f"{path} leaves {self.prefix}"
        return path.removeprefix(self.prefix) if self._strips else path

    def get(self, path: str):
        return self.client.get(self.inner(path), follow_redirects=False)

    def post(self, path: str, **given: object):
        return self.client.post(self.inner(path), follow_redirects=False, **given)


@pytest.fixture(params=PREFIXES)
def prefix(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=[True, False], ids=["strips", "keeps"])
def proxied(store: Path, prefix: str, request: pytest.FixtureRequest) -> Iterator[Proxied]:
    app = create_app(Settings(store=store, threads=1, root_path=prefix))
    app.state.service.catalog.refresh()
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Proxied(client, prefix, strips=request.param)


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/metrics", "/models", "/models/toy"])
def test_what_can_be_got_can_be_got_below_the_prefix(path: str, proxied: Proxied) -> None:
    assert proxied.get(proxied.prefix + path).status_code == 200


@pytest.mark.parametrize("path", ["/predict", "/stream"])
def test_direct_routes_answer_below_the_prefix(path: str, proxied: Proxied) -> None:
    answer = proxied.post(proxied.prefix + path, json={"text": "good"})
    assert answer.status_code == 200
    assert "server-timing" in answer.headers
    metrics = proxied.get(f"{proxied.prefix}/metrics").text
    assert f'gatewise_requests_total{{method="POST",route="{path}",status="200"}} 1.0' in metrics


def test_the_websocket_answers_below_the_prefix(proxied: Proxied) -> None:
    path = proxied.inner(f"{proxied.prefix}/stream")
    with proxied.client.websocket_connect(path) as socket:
        socket.send_json({"text": "good"})
        assert socket.receive_json()["prediction"]["label"] == "pos"


@pytest.mark.medium
def test_documentation_stays_below_the_prefix(proxied: Proxied) -> None:
    page = proxied.get(f"{proxied.prefix}/docs").text
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(assets) >= 3
    for path in [*assets, *re.findall(r"url: '([^']+)'", page)]:
        assert proxied.get(path).status_code == 200
    servers = proxied.get(f"{proxied.prefix}/openapi.json").json()["servers"]
    assert servers == [{"url": proxied.prefix}]


def test_the_page_stays_below_the_prefix(proxied: Proxied) -> None:
    page = proxied.get(f"{proxied.prefix}/")
    (base,) = re.findall(r'<base href="([^"]+)">', page.text)
    assert base == f"{proxied.prefix}/"
    names = re.findall(r'(?:src|href)="((?:page/|docs|expl)[^"]*)"', page.text)
    assert len(names) == 4
    for name in names:
        assert proxied.get(base + name).status_code == 200
    assert "base-uri 'self'" in page.headers["content-security-policy"]


def test_scripts_ask_for_nothing_outside_of_the_base(proxied: Proxied) -> None:
    scripts = [proxied.get(f"{proxied.prefix}/page/{name}.js").text for name in ("page", "stream")]
    asked = re.findall(r'fetch\("([^"]+)"[,)]|new URL\("([^"]+)", ([\w.]+)\)', "".join(scripts))
    assert asked == [("models", "", ""), ("", "stream", "document.baseURI")]


@pytest.mark.medium
@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/predict/", "/predict"),
        ("/stream/?a=b&c=%2F", "/stream?a=b&c=%2F"),
        ("/docs/", "/docs"),
        ("/models/", "/models"),
        ("/page", "/page/"),
        ("/models/toy/", "/models/toy"),
    ],
)
def test_redirects_stay_below_the_prefix(path: str, target: str, proxied: Proxied) -> None:
    answer = proxied.post(proxied.prefix + path, json={"text": "good"})
    assert answer.status_code == 307
    assert answer.headers["location"] == proxied.prefix + target


def test_the_prefix_alone_leads_to_the_page(store: Path, prefix: str) -> None:
    with TestClient(create_app(Settings(store=store, threads=1, root_path=prefix))) as client:
        answer = client.get(prefix, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, f"{prefix}/")


def test_what_only_begins_like_the_prefix_is_not_it(store: Path, prefix: str) -> None:
    with TestClient(create_app(Settings(store=store, threads=1, root_path=prefix))) as client:
        assert client.get(f"{prefix}x/livez").status_code == 404
        assert client.get(f"{prefix}{prefix}/livez").status_code == 404


def test_probes_need_no_prefix(store: Path, prefix: str) -> None:
    with TestClient(create_app(Settings(store=store, threads=1, root_path=prefix))) as client:
        assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "internal:8000", "[::1]:8000"])
def test_redirects_name_no_host_without_a_prefix_either(host: str, client: TestClient) -> None:
    answer = client.get("/models/", headers={"host": host}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/models")


@pytest.mark.parametrize(
    ("given", "prefix"),
    [("/a", "/a"), ("a", "/a"), ("/a/", "/a"), ("a/b/", "/a/b"), ("/", ""), ("", "")],
)
def test_a_prefix_may_be_written_with_or_without_slashes(given: str, prefix: str) -> None:
    assert Settings(root_path=given).root_path == prefix


@pytest.mark.parametrize(
    "given", ["https://x.example/a", "/a//b", "/a b", "/a?b", "/..", "/ä", "/%61"]
)
def test_what_is_no_prefix_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="is no path prefix, such as /gatewise"):
        Settings(root_path=given)


@pytest.mark.parametrize("given", ["/models", "predict/", "/page/x", "/docs"])
def test_a_prefix_that_is_a_path_of_the_service_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="is a path of the service itself"):
        Settings(root_path=given)


def test_the_paths_of_the_service_are_known(store: Path) -> None:
    app = create_app(Settings(store=store))
    kinds = (Route, Mount, WebSocketRoute)
    paths = {route.path for route in app.routes if isinstance(route, kinds)}
    listed = {path[1:].partition("/")[0] for path in [*paths, *app.openapi()["paths"]]}
    assert listed - {""} == OWN_PATHS

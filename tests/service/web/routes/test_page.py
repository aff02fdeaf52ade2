"""The page: all of it comes from here, and nothing else may."""

import re

import pytest
from fastapi.testclient import TestClient

from service.web.routes.page import FOLDER


def test_the_page_names_only_files_that_are_there(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    names = re.findall(r'(?:src|href)="(page/[^"]+)"', page.text)
    assert {name.rpartition(".")[2] for name in names} == {"css", "js"}
    for name in names:
        assert client.get(f"/{name}").status_code == 200


def test_modules_import_only_files_that_are_there(client: TestClient) -> None:
    for file in FOLDER.glob("*.js"):
        answer = client.get(f"/page/{file.name}")
        assert "javascript" in answer.headers["content-type"]
        for name in re.findall(r'from "\./([^"]+)"', answer.text):
            assert (FOLDER / name).is_file()


def test_nothing_may_come_from_elsewhere(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    for file in FOLDER.iterdir():
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", file.read_text())


@pytest.mark.parametrize("path", ["/", "/page/page.js", "/docs", "/models", "/nothing"])
def test_what_is_got_is_taken_for_nothing_else(path: str, client: TestClient) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_links_lead_somewhere(client: TestClient) -> None:
    for path in re.findall(r'<a href="([^"]+)"', client.get("/").text):
        assert client.get(f"/{path}").status_code == 200


def test_other_files_stay_where_they_are(client: TestClient) -> None:
    for path in ("/page/../app.py", "/page/%2e%2e/app.py", "/page/none.js"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/page/page.js",
        "/page/chart.js",
        "/page/page.css",
        "/docs",
        "/openapi.json",
        "/static-offline-docs/swagger-ui.css",
        "/readyz",
        "/models",
        "/nowhere",
    ],
)
def test_what_browsers_keep_is_asked_for_again(path: str, client: TestClient) -> None:
    """Or after an upgrade the new page would run old scripts."""
    first = client.get(path)
    assert first.headers.get_list("cache-control") == ["no-cache"]
    if tag := first.headers.get("etag"):
        again = client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == "no-cache"


def test_texts_may_run_from_the_right(client: TestClient) -> None:
    """Both layers alike, or the tints would not lie under their words."""
    rules = re.findall(
        r"([^{}]+)\{([^}]*unicode-bidi: plaintext[^}]*)\}", client.get("/page/page.css").text
    )
    places = ",".join(selectors.rpartition("*/")[2] for selectors, _ in rules)
    for place in ("#tinted", "#text", "#label", "#bars li > span:first-child"):
        assert place in [each.strip() for each in places.split(",")]
    script = client.get("/page/page.js").text
    for shown in ("word", "show(label)", "show(before)", "show(after)"):
        assert f"isolate({shown})" in script

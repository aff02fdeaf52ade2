"""The page: all of it comes from here, and nothing else may."""

import re

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


def test_links_lead_somewhere(client: TestClient) -> None:
    for path in re.findall(r'<a href="([^"]+)"', client.get("/").text):
        assert client.get(f"/{path}").status_code == 200


def test_other_files_stay_where_they_are(client: TestClient) -> None:
    for path in ("/page/../app.py", "/page/%2e%2e/app.py", "/page/none.js"):
        assert client.get(path).status_code == 404

"""A local server that answers as the Hugging Face Hub does, to who loads data and pushes models."""

import base64
import hashlib
import io
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa
from pyarrow import parquet

TOKEN = "hf_token_of_a_reader"  # opens the gated dataset of this server, and may write
LARGE = 100_000  # bytes, from which on a file lies elsewhere; every Parquet file does


def to_parquet(texts: list[str], labels: list[str]) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"text": texts, "label": labels}), buffer)
    return buffer.getvalue()


@dataclass
class Repository:
    """A dataset or a model: the files of each commit, and the commit of each branch and tag."""

    gated: bool = False
    private: bool = False
    tags: set[str] = field(default_factory=set)
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes], *, branch: str = "main") -> str:
        content = repr((len(self.commits), sorted(files))).encode()
        sha = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        self.commits[sha] = files
        self.refs[branch] = sha
        return sha

    def resolve(self, revision: str) -> str | None:
        sha = self.refs.get(revision, revision)
        return sha if sha in self.commits else None


class Hub:
    """The repositories, what was asked for, and what is wrong today."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.files_url = f"http://localhost:{port}/files"  # another host, as the Hub's large files
        self.repositories: dict[str, Repository] = {}
        self.requests: list[str] = []
        self.blobs: dict[str, bytes] = {}  # large files that were uploaded, by their hashes
        self.uploads: Counter[str] = Counter()  # how often each of them came whole
        self.leaked = False  # whether a token was sent to where the large files lie
        self.damage: dict[str, bytes] = {}  # what is answered in place of a file, by its path
        self.broken = False  # no file can be had
        self.delay = 0.0  # seconds before anything about a dataset is answered

    def create(self, name: str, *, gated: bool = False) -> Repository:
        self.repositories[name] = Repository(gated=gated)
        return self.repositories[name]


class _Refusal(Exception):
    def __init__(self, status: int, code: str | None, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path}")
        parts = path.strip("/").split("/")
        try:
            if self.command in ("POST", "PUT", "DELETE") and parts[4:5] != ["paths-info"]:
                self._take(parts, body)
            elif parts[0] == "api" and parts[1] in ("datasets", "models"):
                form = parse_qs(body.decode())
                self._answer_api("/".join(parts[2:4]), *parts[4:], form=form)
            elif parts[0] == "datasets" and parts[3:4] == ["resolve"]:
                self._answer_file("/".join(parts[1:3]), parts[4], "/".join(parts[5:]))
            elif parts[2:3] == ["resolve"]:  # of a model
                self._answer_file("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
            elif parts[0] == "files":
                self.hub.leaked |= "Authorization" in self.headers
                self._send_file(self._find_blob(parts[1]), {"ETag": f'"{parts[1]}"'})
            else:
                raise _Refusal(404, None, "Not Found")
        except _Refusal as refusal:
            self._send(refusal.status, b"{}", refusal.headers)

    def _answer_api(self, name: str, *rest: str, form: dict[str, list[str]]) -> None:
        time.sleep(self.hub.delay)
        repository = self._find_repository(name)
        kind = rest[0] if rest else "revision"
        if kind == "refs":
            self._send_json(_list_refs(repository))
            return
        sha = self._find_commit(repository, rest[1] if len(rest) > 1 else "main")
        files = repository.commits[sha]
        if kind == "revision":
            self._send_json(_describe(name, repository, sha))
        elif kind == "tree":
            folder = "/".join(rest[2:])
            self._send_json([*_entries(files, folder)])
        elif kind == "paths-info":
            paths = form.get("paths", [])
            entries = [entry for path in paths for entry in _entries(files, path)]
            self._send_json([entry for entry in entries if entry["path"] in paths])
        else:
            raise _Refusal(404, None, "Not Found")

    def _answer_file(self, name: str, revision: str, path: str) -> None:
        repository = self._find_repository(name)
        if self.hub.broken:
            raise _Refusal(501, None, "Not now")  # a status after which nobody tries again
        if repository.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise _Refusal(401, "GatedRepo", f"Access to dataset {name} is restricted.")
        sha = self._find_commit(repository, revision)
        content = repository.commits[sha].get(path)
        if content is None:
            refusal = _Refusal(404, "EntryNotFound", "Entry not found")
            refusal.headers["X-Repo-Commit"] = sha
            raise refusal
        headers = {"X-Repo-Commit": sha, "ETag": f'"{_git_id(content)}"'}
        if path in self.hub.damage:
            self._send_file(self.hub.damage[path], headers)
            return
        if not _is_large(path, len(content)):
            self._send_file(content, headers)
            return
        # Large files lie elsewhere.
        digest = hashlib.sha256(content).hexdigest()
        headers |= {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{digest}"'}
        self._send(302, b"", headers | {"Location": f"{self.hub.files_url}/{digest}"})

    def _find_repository(self, name: str) -> Repository:
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and not self._is_known()):
            # What does not exist and what is private look the same to who may not know.
            raise _Refusal(401, "RepoNotFound", "Repository not found")
        return repository

    def _is_known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _take(self, parts: list[str], body: bytes) -> None:
        """Answer what changes something, which takes the token."""
        if parts[0] == "files":  # an address that is given to who may upload
            self._take_blob(parts[1], body)
            return
        if not self._is_known():
            raise _Refusal(401, None, "Invalid username or password.")
        if parts[:2] == ["api", "validate-yaml"]:
            self._send_json({"errors": [], "warnings": []})
        elif parts[:3] == ["api", "repos", "create"]:
            asked = json.loads(body)
            name = "/".join(filter(None, (asked.get("organization") or "owner", asked["name"])))
            self.hub.create(name).private = asked.get("visibility") == "private"
            self.hub.repositories[name].commit({".gitattributes": b""})
            self._send_json({"url": f"{self.hub.url}/{name}"})
        elif parts[-3:] == ["lfs", "objects", "batch"]:
            self._find_repository("/".join(parts[:2]).removesuffix(".git"))
            self._send_json(
                {"objects": [self._place(each) for each in json.loads(body)["objects"]]}
            )
        else:
            self._take_api("/".join(parts[2:4]), *parts[4:], body=body)

    def _take_blob(self, digest: str, body: bytes) -> None:
        if hashlib.sha256(body).hexdigest() != digest:
            raise _Refusal(400, None, "Another hash")
        self.hub.uploads[digest] += 1
        self.hub.blobs[digest] = body
        self._send(200, b"", {})

    def _place(self, asked: dict[str, object]) -> dict[str, object]:
        """Say where a large file is to be uploaded; nowhere if it is there."""
        digest = asked["oid"]
        if digest in self.hub.blobs:
            return asked
        return asked | {"actions": {"upload": {"href": f"{self.hub.files_url}/{digest}"}}}

    def _take_api(self, name: str, kind: str, revision: str, *, body: bytes) -> None:
        repository = self._find_repository(name)
        if kind == "preupload":
            files = repository.commits[self._find_commit(repository, revision)]
            self._send_json({"files": [_choose(each, files) for each in json.loads(body)["files"]]})
        elif kind == "commit":
            sha = self._commit(repository, revision, list(map(json.loads, body.splitlines())))
            url = f"{self.hub.url}/{name}/commit/{sha}"
            self._send_json({"commitUrl": url, "commitOid": sha, "pullRequestUrl": None})
        elif self.command == "DELETE" and kind == "tag":
            repository.tags.discard(revision)
            repository.refs.pop(revision, None)
            self._send_json({})
        elif kind == "tag":
            if (tag := json.loads(body)["tag"]) in repository.refs:
                raise _Refusal(409, None, "Reference exists already")
            repository.refs[tag] = self._find_commit(repository, revision)
            repository.tags.add(tag)
            self._send_json({})
        else:
            raise _Refusal(404, None, "Not Found")

    def _commit(
        self, repository: Repository, branch: str, lines: list[dict[str, dict[str, str]]]
    ) -> str:
        head = self._find_commit(repository, branch)
        files = dict(repository.commits[head])
        for line in lines:
            value, path = line["value"], line["value"].get("path", "")
            if str(line["key"]) == "header":
                if value.get("parentCommit", head) != head:
                    raise _Refusal(412, None, "A commit has happened since. Please refresh")
            elif str(line["key"]) == "file":
                files[path] = base64.b64decode(value["content"])
            elif str(line["key"]) == "lfsFile":
                files[path] = self.hub.blobs[value["oid"]]
            else:
                del files[path]
        return repository.commit(files, branch=branch)

    def _find_commit(self, repository: Repository, revision: str) -> str:
        sha = repository.resolve(revision)
        if sha is None:
            raise _Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return sha

    def _find_blob(self, digest: str) -> bytes:
        for repository in self.hub.repositories.values():
            for files in repository.commits.values():
                for content in files.values():
                    if hashlib.sha256(content).hexdigest() == digest:
                        return content
        raise _Refusal(404, None, "Not Found")

    def _send_file(self, content: bytes, headers: dict[str, str]) -> None:
        wanted = self.headers.get("Range", "")
        if not wanted.startswith("bytes="):
            self._send(200, content, headers)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(content)), len(content) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        self._send(206, content[start : end + 1], headers)

    def _send_json(self, content: object) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _describe(name: str, repository: Repository, sha: str) -> dict[str, object]:
    return {
        "id": name,
        "author": name.partition("/")[0],
        "sha": sha,
        "private": False,
        "gated": "auto" if repository.gated else False,
        "disabled": False,
        "tags": [],
        "siblings": [{"rfilename": path} for path in sorted(repository.commits[sha])],
    }


def _entries(files: dict[str, bytes], folder: str) -> Iterator[dict[str, object]]:
    """Yield what the Hub says of each file and folder below `folder`, itself included."""
    folders = {path.rpartition("/")[0] for path in files} - {""}
    for path in sorted(folders):
        if path.startswith(folder):
            yield {"type": "directory", "path": path, "size": 0, "oid": _git_id(path.encode())}
    for path, content in sorted(files.items()):
        if path.startswith(folder):
            yield {"type": "file", "path": path, "size": len(content), "oid": _git_id(content)}


def _git_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


def _list_refs(repository: Repository) -> dict[str, object]:
    refs: dict[str, list[dict[str, str]]] = {"branches": [], "tags": [], "converts": []}
    for name, sha in repository.refs.items():
        kind, folder = ("tags", "tags") if name in repository.tags else ("branches", "heads")
        refs[kind].append({"name": name, "ref": f"refs/{folder}/{name}", "targetCommit": sha})
    return dict(refs)


def _choose(asked: dict[str, object], files: dict[str, bytes]) -> dict[str, object]:
    """Say how a file is to come: alone as a large one, or within the commit."""
    path, size = str(asked["path"]), int(str(asked["size"]))
    chosen = {
        "path": path,
        "uploadMode": "lfs" if _is_large(path, size) else "regular",
        "shouldIgnore": False,
    }
    if path in files:
        large = _is_large(path, len(files[path]))
        chosen["oid"] = hashlib.sha256(files[path]).hexdigest() if large else _git_id(files[path])
    return chosen


def _is_large(path: str, size: int) -> bool:
    return path.endswith(".parquet") or size >= LARGE


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that were killed."""


@contextmanager
def run_hub() -> Iterator[Hub]:
    """Serve an empty Hub from this process."""
    handler = type("Handler", (_Handler,), {})
    with _Server(("127.0.0.1", 0), handler) as server:
        handler.hub = Hub(server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield handler.hub
        finally:
            server.shutdown()
            thread.join()

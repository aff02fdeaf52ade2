"""Places on this machine: a Hub, S3 by moto, and Google's buckets by an emulator."""

import hashlib
import json
import logging
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from tests.local_hub import TOKEN, Hub, run_hub
from tests.models.remotes.wire import Wire, run_wire
from tests.promises.shipped import wait_until

BUCKET = "bucket"


class Server(Protocol):
    """A place, and how to meddle with it."""

    wire: Wire
    address: str
    environment: dict[str, str]
    wrong_token: dict[str, str]

    def read(self, name: str) -> bytes | None:
        """Return a file of version 1, as the place has it."""

    def has(self, name: str, content: bytes) -> bool:
        """Whether a large file has arrived whole, also of a push that was killed."""

    def write(self, name: str, content: bytes) -> None:
        """Replace a file of version 1 behind everybody's back."""

    def clear(self) -> None:
        """Have nothing."""


@dataclass
class HubServer:
    """A Hub with one model."""

    hub: Hub
    wire: Wire
    home: Path
    address: str = "hf://owner/reviews"
    wrong_token: dict[str, str] = field(default_factory=lambda: {"HF_TOKEN": "hf_" + "wrong" * 6})

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HF_ENDPOINT": f"http://127.0.0.1:{self.wire.port}",
            "HF_TOKEN": TOKEN,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HOME": str(self.home),
        }

    def _files(self) -> dict[str, bytes]:
        repository = self.hub.repositories.get("owner/reviews")
        sha = repository and repository.refs.get("v1")
        return repository.commits[sha] if repository and sha else {}

    def read(self, name: str) -> bytes | None:
        return self._files().get(name)

    def has(self, name: str, content: bytes) -> bool:
        return hashlib.sha256(content).hexdigest() in self.hub.blobs

    def write(self, name: str, content: bytes) -> None:
        self._files()[name] = content
        self.hub.blobs[hashlib.sha256(content).hexdigest()] = content

    def clear(self) -> None:
        self.hub.repositories.clear()
        self.hub.blobs.clear()
        self.hub.uploads.clear()


@contextmanager
def serve_hub(home: Path) -> Iterator[HubServer]:
    with run_hub() as hub, run_wire(int(hub.url.rpartition(":")[2])) as wire:
        hub.files_url = f"http://localhost:{wire.port}/files"
        yield HubServer(hub, wire, home)


@dataclass
class BucketServer:
    """A bucket in which files are read and written by plain HTTP."""

    wire: Wire
    address: str
    environment: dict[str, str]
    wrong_token: dict[str, str]
    url: str  # of a file, with {} for its quoted name

    def _ask(self, method: str, name: str, content: bytes | None = None) -> bytes:
        url = self.url.format(quote(name, safe="" if self.address.startswith("gs") else "/"))
        signed = {  # moto does not check it
            "Authorization": "AWS key:signature",
            "Content-Type": "application/octet-stream",
        }
        request = urllib.request.Request(url, content, signed, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            taken: bytes = answer.read()
        return taken

    def read(self, name: str) -> bytes | None:
        try:
            return self._ask("GET", f"models/reviews/1/{name}")
        except urllib.error.HTTPError:
            return None

    def has(self, name: str, content: bytes) -> bool:
        return self.read(name) == content

    def write(self, name: str, content: bytes) -> None:
        self._ask("PUT", f"models/reviews/1/{name}", content)

    def clear(self) -> None:
        base = self.url.partition(f"/{BUCKET}")[0]
        for path in ("/moto-api/reset", f"/{BUCKET}"):
            method = "POST" if "reset" in path else "PUT"
            urllib.request.urlopen(urllib.request.Request(base + path, b"", method=method)).close()


def set_access(server: BucketServer, *, free: bool) -> None:
    """Have S3 look at the credentials, or not."""
    base = server.url.partition(f"/{BUCKET}")[0]
    body = b"inf" if free else b"0"
    plain = {"Content-Type": "text/plain"}
    asked = urllib.request.Request(f"{base}/moto-api/reset-auth", body, plain, method="POST")
    urllib.request.urlopen(asked).close()


@contextmanager
def serve_s3() -> Iterator[BucketServer]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    port = moto.get_host_and_port()[1]
    try:
        with run_wire(port) as wire:
            server = BucketServer(
                wire,
                f"s3://{BUCKET}/models/reviews",
                {
                    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{wire.port}",
                    "AWS_ACCESS_KEY_ID": "key",
                    "AWS_SECRET_ACCESS_KEY": "secret" * 5,
                    "AWS_DEFAULT_REGION": "us-east-1",
                },
                {"AWS_ACCESS_KEY_ID": "AKIA" + "WRONG" * 3, "AWS_SECRET_ACCESS_KEY": "wrong" * 8},
                f"http://127.0.0.1:{port}/{BUCKET}/{{}}",
            )
            server.clear()
            yield server
    finally:
        moto.stop()


@contextmanager
def serve_google() -> Iterator[dict[str, str]]:
    """Give the environment for a bucket of Google's emulator."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    options = ["start", "--host=127.0.0.1", f"--port={port}", "--in-memory", "--quiet"]
    command = [sys.executable, "-m", "gcp_storage_emulator", *options, f"--default-bucket={BUCKET}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _is_taken(port))
            yield {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}"}
        finally:
            process.kill()


def _is_taken(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def relist(manifest: bytes, **records: object) -> bytes:
    """Return a metadata file whose records of files are replaced."""
    fields = json.loads(manifest)
    return json.dumps(fields | {"files": fields["files"] | records}).encode()

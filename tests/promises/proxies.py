"""Proxies of others, in processes of their own, before several services."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.promises.shipped import wait_until

Start = Callable[[Path, int, Sequence[int]], list[str]]

_OURS = Path(__file__).resolve().parents[2] / "deploy" / "proxy" / "Caddyfile"
_NGINX = """
daemon off;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_header_timeout 1s;
    client_body_timeout 1s;
    keepalive_timeout 1s;
    upstream services {{
        {servers}
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://services;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_request_buffering off;
        }}
    }}
}}
"""
_CADDY = """
{{
    admin off
    auto_https off
    servers {{
        timeouts {{
            read_header 1s
            read_body 1s
            idle 1s
        }}
    }}
}}
http://127.0.0.1:{port} {{
    reverse_proxy {servers}
}}
"""


def _start_nginx(folder: Path, port: int, services: Sequence[int]) -> list[str]:
    servers = " ".join(f"server 127.0.0.1:{each};" for each in services)
    path = folder / "nginx.conf"
    path.write_text(_NGINX.format(folder=folder, servers=servers, port=port))
    return ["nginx", "-p", str(folder), "-c", str(path), "-e", str(folder / "error.log")]


def _start_caddy(folder: Path, port: int, services: Sequence[int]) -> list[str]:
    servers = " ".join(f"127.0.0.1:{each}" for each in services)
    path = folder / "Caddyfile"
    path.write_text(_CADDY.format(servers=servers, port=port))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(path)]


PROXIES: dict[str, Start] = {
    "nginx": _start_nginx,
    "caddy": _start_caddy,
}
"""How each is started: a folder for it, its port, and those of the services."""


def is_installed(name: str) -> bool:
    return shutil.which(name) is not None


def _start_ours(folder: Path, port: int, services: Sequence[int]) -> list[str]:
    """Return how Caddy is started as in deploy/proxy, but without TLS and names of replicas."""
    servers = " ".join(f"127.0.0.1:{each}" for each in services)
    ours = _OURS.read_text()
    for pattern, plain in (
        (r"\{\$GATEWISE_SITE:localhost\}", f"http://127.0.0.1:{port}"),
        (r"reverse_proxy \{\n\t\tdynamic a [^}]*\}", f"reverse_proxy {servers} {{"),
    ):
        ours, found = re.subn(pattern, plain, ours)
        assert found == 1, pattern
    path = folder / "Caddyfile"
    path.write_text(ours)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(path)]


def has_caddy_of(version: tuple[int, int]) -> bool:
    """Whether there is Caddy of this version or a later one."""
    if not is_installed("caddy"):
        return False
    said = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout
    numbers = re.match(r"v?(\d+)\.(\d+)", said)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= version


@contextmanager
def proxying(name: str, folder: Path, services: Sequence[int]) -> Iterator[int]:
    """Run a proxy before services on these ports; its own port is given."""
    with _running(PROXIES[name], folder, services) as port:
        yield port


@contextmanager
def proxying_as_deployed(folder: Path, services: Sequence[int]) -> Iterator[int]:
    """Run Caddy as in deploy/proxy before services on these ports; its own port is given."""
    with _running(_start_ours, folder, services) as port:
        yield port


@contextmanager
def _running(start: Start, folder: Path, services: Sequence[int]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port: int = unused.getsockname()[1]
    command = start(folder, port, services)
    with (folder / "log").open("w") as log:
        home = os.environ | {"HOME": str(folder)}  # where Caddy keeps what it was told
        process = subprocess.Popen(command, env=home, stdout=log, stderr=log)
    try:
        wait_until(partial(_listens, port, process))
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the proxy has ended"
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True

"""Where the service listens, and what it says where it cannot."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.__main__ import app
from service.settings import Settings
from service.web import listening, server, workers
from service.web.listening import CannotListen, format_url, listen
from tests.versions import publish


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_taken_port_is_noticed_before_anything_is_loaded(
    count: str, taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "create_app", pytest.fail)
    monkeypatch.setattr(workers, "start_worker", pytest.fail)
    publish(tmp_path)
    options = ["--store", str(tmp_path), "--port", str(taken), "--workers", count]
    refused = CliRunner().invoke(app, options)
    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1] == (
        f"error: cannot listen on http://127.0.0.1:{taken}: address already in use; "
        "set another --port or GATEWISE_PORT"
    )


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("no-such-host.invalid", "there is no such address; set another --host"),
        ("203.0.113.7", "this machine has no such address; set another --host"),
        ("1.2.3.4.5", "there is no such address; set another --host"),
    ],
)
def test_hosts_that_cannot_be_used_are_told(host: str, reason: str) -> None:
    with pytest.raises(CannotListen, match=reason):
        listen(host, 0)


def test_a_port_that_needs_a_privilege_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(listening.socket, "create_server", refuse)
    with pytest.raises(CannotListen, match="ports below 1024 need a privilege"):
        listen("127.0.0.1", 80)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("::", "http://[::]:80"),
        ("fe80::1%eth0", "http://[fe80::1%eth0]:80"),
        ("localhost", "http://localhost:80"),
    ],
)
def test_an_ipv6_address_stands_in_brackets(host: str, url: str) -> None:
    assert format_url(host, 80) == url


@pytest.mark.parametrize("host", ["[::1]", "::1"])
def test_a_host_may_be_given_with_brackets(host: str) -> None:
    assert Settings(host=host).host == "::1"


@pytest.mark.skipif(not os.path.exists("/proc/net/if_inet6"), reason="there is no IPv6 here")
def test_an_ipv6_address_is_listened_on_and_printed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    (opened,) = listen("::1", 0)
    with opened, socket.create_connection(("::1", opened.getsockname()[1])):
        assert f"running on http://[::1]:{opened.getsockname()[1]}" in caplog.text


def test_all_addresses_of_a_name_get_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2")]
    monkeypatch.setattr(listening, "find_addresses", lambda _: addresses)
    sockets = listen("both", 0)
    assert len({each.getsockname()[1] for each in sockets}) == 1
    assert [each.getsockname()[0] for each in sockets] == ["127.0.0.1", "127.0.0.2"]
    for each in sockets:
        each.close()


def test_an_address_of_a_kind_that_is_not_used_here_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses = [(socket.AF_INET, "203.0.113.7"), (socket.AF_INET, "127.0.0.1")]
    monkeypatch.setattr(listening, "find_addresses", lambda _: addresses)
    (opened,) = listen("both", 0)
    assert opened.getsockname()[0] == "127.0.0.1"
    opened.close()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6 here")
class TestBothKinds:
    """What is listened on for IPv4 and IPv6 together."""

    @pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
    @pytest.mark.parametrize("host", ["::", "0:0:0:0:0:0:0:0"])
    def test_all_addresses_are_those_of_ipv4_too(self, host: str, client: str) -> None:
        (opened,) = listen(host, 0)
        with opened, socket.create_connection((client, opened.getsockname()[1]), timeout=5):
            assert opened.family == socket.AF_INET6

    def test_an_address_of_ipv6_is_that_alone(self) -> None:
        (opened,) = listen("::1", 0)
        with opened, pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", opened.getsockname()[1]), timeout=5)

    def test_with_all_of_ipv4_beside_it_each_has_its_own(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        addresses = [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")]
        monkeypatch.setattr(listening, "find_addresses", lambda _: addresses)
        sockets = listen("both", 0)
        assert [each.getsockname()[0] for each in sockets] == ["0.0.0.0", "::"]
        for each in sockets:
            each.close()

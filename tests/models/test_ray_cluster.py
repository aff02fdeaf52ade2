"""A wrong address of a Ray cluster, or no Ray, is one line."""

import socket
import sys
from pathlib import Path

import pytest

from models.errors import GatewiseError
from models.ray_cluster import ClusterError, check_address, connected, raise_cause


@pytest.mark.parametrize(
    "address", ["auto", "local", "10.0.0.1:6379", "ray://head.example:10001", "[::1]:6379"]
)
def test_addresses(address: str) -> None:
    assert check_address(address) == address


@pytest.mark.parametrize("address", ["", "head", "head:", "head:0", "head:70000", "http://head:1"])
def test_no_addresses(address: str) -> None:
    with pytest.raises(ValueError, match="give auto, local, HOST:PORT or ray://HOST:PORT"):
        check_address(address)


def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(ClusterError, match=f"no Ray cluster at {address}"), connected(address):
            pass


def test_no_cluster_runs_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    with pytest.raises(ClusterError, match="no Ray cluster runs on this machine"):
        connected("auto").__enter__()
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:9\n")  # it was killed
    with pytest.raises(ClusterError, match="no Ray cluster at 127.0.0.1:9: Connection refused"):
        connected("auto").__enter__()


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    wanted = "Ray cannot be imported .*; install it: make setup"
    with pytest.raises(ClusterError, match=wanted), connected("local"):
        pass


def test_the_fault_behind_a_fault_of_ray() -> None:
    ours = GatewiseError("ours")

    class OfRay(RuntimeError):
        cause = ours

    error = RuntimeError("outer")
    error.__cause__ = OfRay("inner")
    with pytest.raises(GatewiseError) as found:
        raise_cause(error, doing="it failed")
    assert found.value is ours


def test_a_fault_that_nobody_has_foreseen() -> None:
    error = RuntimeError("a traceback\nof many lines")
    error.__cause__ = ZeroDivisionError("one\nby zero")
    with pytest.raises(ClusterError, match="^it failed: ZeroDivisionError: by zero$"):
        raise_cause(error, doing="it failed")


def test_a_node_without_our_code() -> None:
    error = ModuleNotFoundError("No module named 'service'")
    with pytest.raises(ClusterError, match="'service'; every node needs Gatewise$"):
        raise_cause(error, doing="it failed")

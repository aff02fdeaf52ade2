"""Connects to a Ray cluster, quietly and without telemetry; needs the extra `ray`."""

import logging
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from models.errors import GatewiseError
from models.installation import IN_WHEEL, install_command

LOCAL, AUTO, CLIENT = "local", "auto", "ray://"
HELP = (
    "Ray cluster that computes: auto for the one of this machine, local for a new one of its "
    "cores, HOST:PORT, or ray://HOST:PORT."
)
MOST_SAID = 300  # characters of what Ray says; a traceback may follow
SECONDS = 5.0  # that a cluster may take to accept a connection
_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # with 0, Ray stays on 127.0.0.1 on any system
_PLACE = re.compile(r"(?:ray://)?(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})", re.ASCII)


class ClusterError(GatewiseError):
    """Ray is missing, or its cluster cannot be used."""


def import_ray() -> Any:
    """Return the module `ray`, its telemetry off.

    Raises:
        ClusterError: It cannot be imported; says what to install.
    """
    # Ray reads this when it starts, and its processes inherit it.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise ClusterError(
            f"Ray cannot be imported ({error}); install it: {install_command('ray')}"
        ) from None
    return ray


def check_address(address: str) -> str:
    """Return the address of a cluster unchanged.

    Raises:
        ValueError: It is none.
    """
    if address in (LOCAL, AUTO):
        return address
    found = _PLACE.fullmatch(address)
    if found is None or not 0 < int(found[2]) < 65_536:
        raise ValueError(
            f"{address!r} is no Ray cluster; give auto, local, HOST:PORT or ray://HOST:PORT"
        )
    return address


@contextmanager
def connected(address: str, **options: Any) -> Iterator[Any]:
    """Give the module `ray`, connected to a cluster while entered.

    Args:
        address: See HELP.
        options: More for `ray.init`.

    Raises:
        ClusterError: Ray is missing, or there is no cluster at the address.
    """
    try:
        check_address(address)
    except ValueError as error:
        raise ClusterError(str(error)) from None
    if address == AUTO:
        address = _find_running()
    if address != LOCAL:
        _check_reachable(address)
    ray = import_ray()
    if address == LOCAL:  # nobody else is to use it
        options |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    if IN_WHEEL:
        hook = {"worker_process_setup_hook": "gatewise.find_packages"}
        options["runtime_env"] = options.get("runtime_env", {}) | hook
    logging.getLogger("ray").setLevel(logging.ERROR)
    try:
        ray.init(
            address,
            logging_level=logging.ERROR,
            log_to_driver=False,
            configure_logging=True,
            **options,
        )
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:MOST_SAID]
        raise ClusterError(f"cannot use the Ray cluster {address}: {said}") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def raise_cause(error: Exception, *, doing: str) -> NoReturn:
    """Raise the fault of ours, or of the system, that an error of Ray comes from.

    Args:
        error: What Ray raised for a task.
        doing: What failed, for a fault that nobody has foreseen.

    Raises:
        GatewiseError: The fault; ClusterError with its last line where it is none of ours.
        OSError: The fault.
    """
    last: BaseException = error
    while True:
        if isinstance(last, GatewiseError | OSError) and not _is_rays(last):
            raise last from None
        deeper = getattr(last, "cause", None) or last.__cause__
        if not isinstance(deeper, BaseException):
            break
        last = deeper
    said = str(last).strip().rpartition("\n")[2] or repr(last)
    fault = f"{type(last).__name__}: {said}"
    hint = "; every node needs Gatewise" if ModuleNotFoundError.__name__ in fault else ""
    raise ClusterError(f"{doing}: {fault}{hint}") from error


def _is_rays(error: BaseException) -> bool:
    """Whether an error is of a class of Ray, which may pose as the class of its cause."""
    return type(error).__module__.partition(".")[0] == "ray"


def _find_running() -> str:
    """Return the address of the cluster of this machine, from where Ray itself looks for it.

    Raises:
        ClusterError: None runs here.
    """
    if given := os.environ.get("RAY_ADDRESS"):
        return given
    temporary = os.environ.get("RAY_TMPDIR", tempfile.gettempdir())
    note = Path(temporary, "ray", "ray_current_cluster")
    try:
        return note.read_text().strip()
    except OSError:
        raise ClusterError(
            "no Ray cluster runs on this machine; give --ray local, or its address, or start one: "
            "ray start --head"
        ) from None


def _check_reachable(address: str) -> None:
    """Raise ClusterError if nothing listens at an address; Ray itself would try for minutes."""
    found = _PLACE.fullmatch(address)
    if found is None:  # of a variable of the environment; Ray says what is wrong with it
        return
    host, port = found[1].strip("[]"), int(found[2])
    try:
        with socket.create_connection((host, port), timeout=SECONDS) as connection:
            itself = connection.getpeername()[0] in ("127.0.0.1", "::1")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ClusterError(f"there is no Ray cluster at {address}: {reason}") from None
    if itself and not address.startswith(CLIENT) and not _listens_outside(port):
        os.environ[_LOOPBACK] = "0"


def _listens_outside(port: int) -> bool:
    """Whether the cluster at a port of this machine listens on its address in the network too.

    Ray takes that address in place of 127.0.0.1, and would look for a cluster there in vain.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only chooses an address
            socket.create_connection((probe.getsockname()[0], port), timeout=SECONDS).close()
        except OSError:
            return False
    return True

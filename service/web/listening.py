"""The sockets that the service listens on, opened before anything is loaded."""

import errno
import logging
import os
import socket

from models.errors import GatewiseError

BACKLOG = 2_048  # connections that wait to be accepted

_log = logging.getLogger(__name__)


class CannotListen(GatewiseError):
    """The service cannot listen where it is told to."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each address of a host; connections wait to be accepted.

    Args:
        host: Name or address.
        port: Port of all of them; 0 for one that is free.

    Raises:
        CannotListen: Says why, and which setting to change.
    """
    sockets: list[socket.socket] = []
    try:
        addresses = find_addresses(host)
        for family, address in addresses:
            if opened := _open(family, address, port, alone=len(addresses) == 1):
                sockets.append(opened)
                port = opened.getsockname()[1]
        if not sockets:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    except OSError as error:
        for each in sockets:
            each.close()
        reason = _explain(error)
        raise CannotListen(f"cannot listen on {format_url(host, port)}: {reason}") from None
    for each in sockets:
        _log.info("running on %s", format_url(*each.getsockname()[:2]))
    return sockets


def format_url(host: str, port: int) -> str:
    """Return the address of the service; an IPv6 address stands in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def find_addresses(host: str) -> list[tuple[int, str]]:
    """Return family and address of a host, each once.

    Raises:
        OSError: There is no such host.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _open(family: int, address: str, port: int, *, alone: bool) -> socket.socket | None:
    """Return a listening socket; None for an address of a kind that this machine does not use.

    Where `::` stands alone it is for IPv4 too, as elsewhere; Python would keep it to IPv6.
    """
    both = alone and address == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server(
            (address, port), family=family, backlog=BACKLOG, dualstack_ipv6=both
        )
    except OSError as error:  # localhost has an IPv6 address even where there is no IPv6
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return None
        raise


def _explain(error: OSError) -> str:
    """Return why a socket cannot be opened, and what to do about it."""
    if isinstance(error, socket.gaierror):
        return "there is no such address; set another --host or GATEWISE_HOST"
    if error.errno == errno.EADDRINUSE:
        return "address already in use; set another --port or GATEWISE_PORT"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address; set another --host or GATEWISE_HOST"
    if error.errno == errno.EACCES:
        return "ports below 1024 need a privilege; set another --port or GATEWISE_PORT"
    return error.strerror or str(error)

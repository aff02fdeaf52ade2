"""Writes down which sockets and processes a Python process opens.

Python imports it at its start where its folder is on the path; FORBIDDEN_LOG names the file.
"""

import os
import sys

_WATCHED = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.system",
    "pty.spawn",
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.sendmsg",
    "socket.sendto",
    "subprocess.Popen",
}
_log = os.environ.get("FORBIDDEN_LOG")


def _note(event: str, args: tuple[object, ...]) -> None:
    if event in _WATCHED:
        with open(str(_log), "a") as file:
            file.write(f"{event} {args!r}\n".replace("\n", " ") + "\n")


if _log:
    sys.addaudithook(_note)

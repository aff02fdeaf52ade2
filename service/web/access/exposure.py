"""Sees before the start that a service which others can reach asks them for keys."""

import ipaddress
import logging
from contextlib import suppress

from models.errors import GatewiseError
from models.installation import command
from service.settings import Settings
from service.web.access.keys import KeyFile
from service.web.listening import find_addresses

_log = logging.getLogger(__name__)


class Exposed(GatewiseError):
    """Others would be answered without a key, and nobody has said that they may."""


def check_access(settings: Settings) -> None:
    """Check who may ask the service.

    Raises:
        BadKeys: The file of keys cannot be read.
        Exposed: Other machines could ask without a key.
    """
    if settings.keys is not None:
        KeyFile.load(settings.keys)
        return
    address = settings.published or settings.host
    if is_loopback(address):
        return
    if not settings.open:
        raise Exposed(
            f"other machines reach {address}, and no keys are asked for. Make one: "
            f"{command('service', 'keys create NAME --file keys.json')}. Start with "
            "GATEWISE_KEYS=keys.json, or with GATEWISE_OPEN=1 if everybody may ask"
        )
    _log.warning("everybody who reaches %s is answered: no keys are asked for", address)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host. One that is not known is not reached at all."""
    addresses: list[tuple[int, str]] = []
    with suppress(OSError):  # the start says why it cannot listen there
        addresses = find_addresses(host)
    # An address of IPv6 may name the interface after a percent sign.
    return all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for _, each in addresses)

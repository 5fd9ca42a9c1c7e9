"""Which names the API answers to: a page of another site must not reach it under a name of its own (DNS rebinding).

A name that is an IP address cannot be rebound, so any is good; of other names those of this machine and those that the
settings list.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass

LOOPBACK_NAMES = frozenset({"localhost"})


@dataclass(frozen=True)
class HostNames:
    """The names besides IP addresses, in lower case."""

    names: frozenset[str]

    def allows(self, host_header: str | None) -> bool:
        """Whether a request with this Host header is for us."""
        if not host_header:
            return False
        name = _name_of(host_header)
        return _is_ip(name) or name in LOOPBACK_NAMES or name in self.names


def host_names(listed: Iterable[str]) -> HostNames:
    """The names of this machine, and those `listed`."""
    own = {socket.gethostname(), socket.getfqdn()}
    return HostNames(frozenset(name.strip().lower() for name in {*own, *listed} if name.strip()))


def is_loopback(host: str) -> bool:
    """Whether `host`, an address or name, is this machine alone."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _name_of(host_header: str) -> str:
    host = host_header.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

"""Whether a connection comes from the host that a remote node is registered with."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable

from service.registry.remote_nodes import ANY_HOST

_KEPT_S = 30.0

Resolve = Callable[[str], set[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def addresses_of(host: str) -> set[str]:
    """What the resolver says now; empty when it knows no such host."""
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return set()


class CallerHosts:
    """Compares addresses with registered hosts; what a name resolves to is kept for half a minute."""

    def __init__(self, resolve: Resolve = addresses_of, clock: Callable[[], float] = time.monotonic) -> None:
        self._resolve = resolve
        self._clock = clock
        self._kept: dict[str, tuple[float, frozenset[Address]]] = {}
        self._lock = threading.Lock()

    def matches(self, host: str, address: str) -> bool:
        """Whether `address` is `host`: an address, a name, or `*` for any host."""
        if host == ANY_HOST:
            return True
        peer = _normal(address)
        return peer is not None and peer in self._addresses(host)

    def _addresses(self, host: str) -> frozenset[Address]:
        literal = _normal(host)
        if literal is not None:
            return frozenset({literal})
        with self._lock:
            kept = self._kept.get(host)
        if kept is not None and self._clock() - kept[0] < _KEPT_S:
            return kept[1]
        found = frozenset(normal for text in self._resolve(host) if (normal := _normal(text)) is not None)
        with self._lock:
            self._kept[host] = (self._clock(), found)
        return found


def _normal(text: str) -> Address | None:
    """IPv4 in IPv6's clothes (::ffff:192.0.2.1) is IPv4, and a zone (%eth0) is not part of an address."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address

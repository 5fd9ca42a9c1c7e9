"""What of a caller's address counts as one caller, wherever callers are counted."""

from __future__ import annotations

import ipaddress


def network_of(host: str) -> str:
    """An IPv4 address itself, the /64 of an IPv6 address, whose other half its owner chooses freely."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)

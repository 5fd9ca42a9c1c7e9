"""Which addresses a registered host stands for."""

from __future__ import annotations

import pytest

from dicom_node.caller_hosts import CallerHosts, addresses_of


@pytest.mark.parametrize(
    ("host", "address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:0db8:0:0::1", True),
        ("fe80::1", "fe80::1%eth0", True),
        ("*", "203.0.113.9", True),
        ("modality", "192.0.2.1", True),
        ("modality", "192.0.2.9", False),
        ("unknown", "192.0.2.1", False),
        ("192.0.2.1", "not an address", False),
    ],
)
def test_a_host_is_an_address_a_name_or_anywhere(host: str, address: str, expected: bool) -> None:
    names = {"modality": {"192.0.2.1", "2001:db8::2"}}
    assert CallerHosts(lambda name: names.get(name, set())).matches(host, address) is expected


def test_a_name_is_asked_for_again_after_half_a_minute() -> None:
    asked: list[str] = []
    now = [0.0]

    def resolve(host: str) -> set[str]:
        asked.append(host)
        return {f"192.0.2.{len(asked)}"}

    hosts = CallerHosts(resolve, clock=lambda: now[0])
    assert hosts.matches("modality", "192.0.2.1")
    now[0] = 29.0
    assert hosts.matches("modality", "192.0.2.1")
    now[0] = 31.0
    assert not hosts.matches("modality", "192.0.2.1")
    assert hosts.matches("modality", "192.0.2.2")
    assert len(asked) == 2


def test_a_name_that_does_not_resolve_has_no_addresses() -> None:
    assert addresses_of("no-such-host.invalid") == set()
    assert addresses_of("x" * 300) == set()

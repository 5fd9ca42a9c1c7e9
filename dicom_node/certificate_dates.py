"""From when to when an X.509 certificate is valid (RFC 5280 §4.1.2.5); the standard library only tells of peers."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

_SEQUENCE, _VERSION, _UTC_TIME = 0x30, 0xA0, 0x17
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


@dataclass(frozen=True)
class Validity:
    """Both moments are included."""

    not_before: datetime
    not_after: datetime


def validity(pem: str) -> Validity:
    """Of the first certificate in `pem`. Raises ValueError when there is none that can be read."""
    first = pem[pem.index(_BEGIN) : pem.index(_END) + len(_END)]
    certificate, _ = _value(ssl.PEM_cert_to_DER_cert(first), 0)
    signed, _ = _value(certificate, 0)
    position = 0
    if signed[0] == _VERSION:
        _, position = _value(signed, position)
    for _ in ("serial number", "signature algorithm", "issuer"):
        _, position = _value(signed, position)
    dates, _ = _value(signed, position)
    _, second = _value(dates, 0)
    return Validity(_moment(dates, 0), _moment(dates, second))


def _value(der: bytes, position: int) -> tuple[bytes, int]:
    """The value of the element at `position`, and where the next one begins (ITU-T X.690 §8.1)."""
    try:
        length, start = der[position + 1], position + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[position + 2 : start], "big")
    except IndexError:
        raise ValueError("expected an X.509 certificate, found other content") from None
    return der[start : start + length], start + length


def _moment(der: bytes, position: int) -> datetime:
    value, _ = _value(der, position)
    text = value.decode("ascii")
    if der[position] == _UTC_TIME:  # years 1950 to 2049
        text = ("20" if int(text[:2]) < 50 else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)

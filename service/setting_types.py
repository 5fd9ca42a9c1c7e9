"""The kinds of value that settings and the site file are made of, with their units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

MIB = 1024 * 1024


@dataclass(frozen=True)
class Unit:
    """The unit of a setting, shown in the documentation."""

    symbol: str


Seconds = Annotated[float, Unit("s"), Field(gt=0)]
Bytes = Annotated[int, Unit("bytes"), Field(ge=0)]
BytesPerSecond = Annotated[int, Unit("bytes/s"), Field(ge=0)]
Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=1)]
Percent = Annotated[float, Unit("%"), Field(gt=0, le=100)]


def checked_ae_title(value: str) -> str:
    """Return `value` without the spaces around it, or raise ValueError (AE of PS3.5 §6.2: 1-16 characters)."""
    title = value.strip(" ")
    if not 1 <= len(title) <= 16 or "\\" in title or not title.isascii() or not title.isprintable():
        raise ValueError(f"an AE title has 1 to 16 printable ASCII characters and no backslash, found {value!r}")
    return title

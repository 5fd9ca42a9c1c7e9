"""The types of settings that are shared by the files which define them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True)
class Unit:
    """The unit of a setting, shown in the documentation."""

    symbol: str


Seconds = Annotated[float, Unit("s"), Field(gt=0)]
Bytes = Annotated[int, Unit("bytes"), Field(ge=0)]
Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=1)]

"""What a source of pairs offers, before anything is read: which files belong together, and which do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class Polarity(StrEnum):
    """How bone looks in a file."""

    BRIGHT = "bright"
    DARK = "dark"
    UNKNOWN = "unknown"  # the picture itself must tell


@dataclass(frozen=True)
class SourcePicture:
    """One picture that can be read."""

    path: Path
    read: Callable[[Path], NDArray[np.float32]]
    """(H, W) float32 display values as the file has them, before any turning; raises an error with a `code`."""
    polarity: Polarity = Polarity.UNKNOWN


@dataclass(frozen=True)
class SourcePair:
    """Two files of one exposure."""

    name: str
    """A plain file name; unique among the pairs found together."""
    patient: str
    cxr: SourcePicture
    soft: SourcePicture


@dataclass(frozen=True)
class Refusal:
    """What does not become a pair, by name for the terminal, with its reason."""

    name: str
    code: str
    detail: str


@dataclass(frozen=True)
class Findings:
    """What a source holds."""

    pairs: tuple[SourcePair, ...]
    refused: tuple[Refusal, ...] = ()
    """Pictures that should have made a pair."""
    skipped: tuple[Path, ...] = ()
    """Files that are no pictures of the kind looked for."""


def files_in(folders: tuple[Path, ...]) -> list[Path]:
    """Every file below the folders, in order of their paths; hidden ones and our own records are left out."""
    found: list[Path] = []
    for folder in folders:
        inside = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        found += [folder / path for path in sorted(inside) if not any(part.startswith(".") for part in path.parts)]
    return found

"""The JSRT database as its makers distribute it, with a bone-suppressed companion.

JPCLN001.IMG … (with a nodule) and JPCNN001.IMG … (without) are headerless: 2048 × 2048 big-endian 16-bit words of
12 bits, bone dark (Shiraishi et al., AJR 174, 2000). Companions come under the same names, raw or as PNG
(for example BSE-JSRT, Juhász et al. 2010), in either polarity.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.pairs.errors import PairDataError, PairFault
from models.pairs.grey_png import is_png, read_grey16
from models.pairs.source import Findings, Polarity, Refusal, SourcePair, SourcePicture, files_in

SIDE = 2048
RAW_BYTES = SIDE * SIDE * 2
TOP = 4095
"""Of 12 bits."""
_NAME = re.compile(r"JPC[LN]N\d{3}(?!\d)", re.IGNORECASE)


def is_jsrt_raw(path: Path) -> bool:
    """Whether a file is named as the database's raw files are."""
    return path.suffix.lower() == ".img" and _NAME.fullmatch(path.stem) is not None


def read_jsrt_raw(path: Path) -> NDArray[np.float32]:
    """(2048, 2048) float32, [0, 1], bone dark as stored.

    Raises PairDataError: RAW_SIZE_WRONG for a file of another length, RAW_DEPTH_WRONG for values beyond 12 bits.
    """
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size == RAW_BYTES else b""
    except OSError as error:
        raise PairDataError(
            PairFault.NOT_READABLE, f"{path.name}: expected a readable file, found: {error.strerror}"
        ) from error
    if len(content) != RAW_BYTES:
        raise PairDataError(
            PairFault.RAW_SIZE_WRONG,
            f"{path.name}: expected {RAW_BYTES:,} bytes ({SIDE} × {SIDE} words of 16 bits), found {size:,}",
        )
    words = np.frombuffer(content, ">u2").reshape(SIDE, SIDE)
    if int(words.max()) > TOP:
        raise PairDataError(
            PairFault.RAW_DEPTH_WRONG,
            f"{path.name}: expected big-endian values of 12 bits, up to {TOP}, found {int(words.max())}",
        )
    return (words.astype(np.float64) / TOP).astype(np.float32)


def pairs_of_jsrt(folders: tuple[Path, ...]) -> Findings:
    """Every radiograph with the companion of its name, each image a patient of its own.

    The radiographs are the raw files of the first folder that has any; the companions are all other files of those
    names, raw or PNG, in the same folder or another.
    """
    files = files_in(folders)
    home = next((folder for folder in folders if any(is_jsrt_raw(path) for path in files_in((folder,)))), None)
    if home is None:
        return Findings((), (), tuple(files))
    mine = set(files_in((home,)))
    raw: dict[str, list[Path]] = {}
    companions: dict[str, list[Path]] = {}
    skipped = []
    for path in files:
        found = _NAME.match(path.stem)
        if found is None or not (is_png(path) or is_jsrt_raw(path)):
            skipped.append(path)
            continue
        side = raw if path in mine and is_jsrt_raw(path) else companions
        side.setdefault(found[0].upper(), []).append(path)
    pairs, refused = [], []
    for name in sorted(raw.keys() | companions.keys()):
        here, there = raw.get(name, []), companions.get(name, [])
        if len(here) > 1 or len(there) > 1:
            detail = (
                f"expected one raw radiograph and one companion, found {len(here)} and {len(there)}; give the "
                "radiographs' folder first and the companions' folder second"
            )
            refused.append(Refusal(name, PairFault.PAIR_AMBIGUOUS, detail))
        elif not here or not there:
            detail = "expected a bone-suppressed companion, found none" if here else "expected its raw file, found none"
            refused.append(Refusal(name, PairFault.PAIR_MISSING, detail))
        else:
            pairs.append(
                SourcePair(name, name, SourcePicture(here[0], read_jsrt_raw, Polarity.DARK), _companion(there[0]))
            )
    return Findings(tuple(pairs), tuple(refused), tuple(skipped))


def _companion(path: Path) -> SourcePicture:
    """Published companions exist in both polarities: the picture itself tells."""
    return SourcePicture(path, read_jsrt_raw if is_jsrt_raw(path) else read_grey16)

"""Pictures on disk by name: radiographs, truths and predictions that belong together carry one name.

What a file holds is the reader's business, so that DICOM can be read by those who may.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from models.evaluation.errors import EvaluationError, EvaluationFault
from models.metrics import fit
from models.pairs.folder import read_grey16

Display = NDArray[np.float32]
"""(H, W), display units [0, 1], bone bright, row 0 at the top."""

FIGURE_SIDE = 1024
"""Longer side at which every figure is taken: filter widths are in pixels."""
SMALLEST_SIDE = 32
NO_BONE_RMS = 1e-4
SHOWN_NAMES = 5


class PictureReader(Protocol):
    """Opens pictures of some formats."""

    def accepts(self, path: Path) -> bool:
        """Whether the file looks like one of its formats."""
        ...

    def read(self, path: Path) -> Display:
        """The picture, at its own size and depth. Raises an error with a code when it cannot be used."""
        ...


class PngReader:
    """Grey PNG of 8 or 16 bits."""

    def accepts(self, path: Path) -> bool:
        """By the file name's ending."""
        return path.suffix.lower() == ".png"

    def read(self, path: Path) -> Display:
        """Raises PairDataError (NOT_READABLE, NOT_GREY)."""
        return read_grey16(path)


@dataclass(frozen=True)
class Case:
    """One exposure with its truth, both of one size."""

    name: str
    cxr: Display
    truth: Display


def named_pictures(folder: Path, reader: PictureReader) -> dict[str, Path]:
    """Name (without ending) → file, in order of names. Raises EvaluationError: EMPTY_FOLDER, NAME_AMBIGUOUS."""
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    found: dict[str, Path] = {}
    for path in files:
        if path.name.startswith(".") or not reader.accepts(path):
            continue
        if path.stem in found:
            raise EvaluationError(
                EvaluationFault.NAME_AMBIGUOUS,
                f"expected one picture of a name in {folder}, found {found[path.stem].name} and {path.name}",
            )
        found[path.stem] = path
    if not found:
        what = "a folder without any" if folder.is_dir() else "no such folder"
        raise EvaluationError(
            EvaluationFault.EMPTY_FOLDER, f"expected grey PNG or DICOM files in {folder}, found {what}"
        )
    return found


def require_names(names: list[str], found: dict[str, Path], folder: Path) -> None:
    """Raises EvaluationError (PICTURE_MISSING) unless `found`, what lies in `folder`, has every name."""
    missing = [name for name in names if name not in found]
    if missing:
        shown = ", ".join(missing[:SHOWN_NAMES]) + (
            f" and {len(missing) - SHOWN_NAMES} more" if len(missing) > 5 else ""
        )
        raise EvaluationError(
            EvaluationFault.PICTURE_MISSING,
            f"expected a picture of every name in {folder} ({len(names)} in all), found none named {shown}",
        )


def read_picture(path: Path, reader: PictureReader) -> Display:
    """One picture, finite, of at least 32 pixels a side. Raises EvaluationError or the reader's own."""
    display = reader.read(path)
    if not np.isfinite(display).all():
        raise EvaluationError(EvaluationFault.NOT_FINITE, f"{path.name}: expected finite pixels, found NaN or infinity")
    height, width = display.shape
    if min(height, width) < SMALLEST_SIDE:
        raise EvaluationError(
            EvaluationFault.TOO_SMALL,
            f"{path.name}: expected at least {SMALLEST_SIDE} pixels a side, found {width} × {height}",
        )
    return display.clip(0.0, 1.0)


def require_one_size(display: Display, path: Path, other: Display, of: str) -> None:
    """Raises EvaluationError (SIZES_DIFFER) unless the picture from `path` is as large as `other`, named by `of`."""
    if display.shape != other.shape:
        (height, width), (other_height, other_width) = display.shape, other.shape
        raise EvaluationError(
            EvaluationFault.SIZES_DIFFER,
            f"expected {path.parent.name}/{path.name} to be {other_width} × {other_height} pixels as {of} is, "
            f"found {width} × {height}",
        )


def read_case(name: str, cxr_path: Path, truth_path: Path, reader: PictureReader) -> Case:
    """A pair, checked. Raises EvaluationError or the reader's own."""
    cxr, truth = (read_picture(path, reader) for path in (cxr_path, truth_path))
    require_one_size(truth, truth_path, cxr, "its radiograph")
    if float(np.sqrt(np.mean((fit(cxr, truth) - truth) ** 2))) < NO_BONE_RMS:
        raise EvaluationError(
            EvaluationFault.NO_BONE, f"pair {name!r}: expected a truth without bone, found the radiograph itself"
        )
    return Case(name, cxr, truth)


def at_figure_size(display: Display) -> Display:
    """The picture with its longer side at 1024 px, aspect kept; as it is when it has that size."""
    longer = max(display.shape)
    if longer == FIGURE_SIDE:
        return display
    size = [max(1, round(side * FIGURE_SIDE / longer)) for side in display.shape]
    plane = torch.from_numpy(np.ascontiguousarray(display, np.float32))[None, None]
    mode = "bilinear" if longer > FIGURE_SIDE else "bicubic"
    scaled = F.interpolate(plane, size=size, mode=mode, antialias=longer > FIGURE_SIDE, align_corners=False)
    return np.asarray(scaled[0, 0].numpy(), np.float32)

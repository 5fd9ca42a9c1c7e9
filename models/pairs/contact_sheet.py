"""A picture of the prepared pairs for people: radiograph, soft-tissue image and their difference, one pair a column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.metrics import fit
from models.pairs.align import resized
from models.pairs.folder import PairFile, read_grey16

FILE_NAME = "contact-sheet.png"
CELL = 320
"""Side of a picture on the sheet, pixels."""
COLUMNS, MOST = 6, 24
GAP, LABEL = 4, 16
GAIN = 2.5
"""The difference is shown on mid grey, so much steeper than the pictures."""


def write_contact_sheet(path: Path, pairs: Sequence[PairFile]) -> None:
    """An 8-bit PNG with up to MOST pairs, evenly drawn from all of them; columns of three pictures, split as label.

    The difference is radiograph − soft-tissue image after that was fitted to the radiograph's tone: bones bright on
    grey, and nothing else if the registration is good.
    """
    chosen = [pairs[int(index)] for index in np.linspace(0, len(pairs) - 1, min(MOST, len(pairs))).round()]
    columns = min(COLUMNS, len(chosen))
    blocks = -(-len(chosen) // columns)
    block_height = 3 * (CELL + GAP) + LABEL
    sheet = Image.new("L", (columns * (CELL + GAP) + GAP, blocks * block_height + GAP), color=24)
    drawing = ImageDraw.Draw(sheet)
    for index, pair in enumerate(chosen):
        left = GAP + (index % columns) * (CELL + GAP)
        top = GAP + (index // columns) * block_height
        label = f"{pair.name}  ({pair.split})".encode("ascii", "replace").decode()
        drawing.text((left, top), label[: CELL // 6], fill=220)
        for row, picture in enumerate(_rows(pair)):
            cell = Image.fromarray(np.rint(np.clip(picture, 0.0, 1.0) * 255).astype(np.uint8))
            sheet.paste(cell, (left + (CELL - cell.width) // 2, top + LABEL + row * (CELL + GAP)))
    sheet.save(path, format="PNG")


def _rows(pair: PairFile) -> list[NDArray[np.float32]]:
    cxr, soft = (_small(read_grey16(path)) for path in (pair.cxr, pair.soft))
    difference = cxr - fit(soft, cxr)
    return [cxr, soft, np.asarray(0.5 + GAIN * difference, np.float32)]


def _small(image: NDArray[np.float32]) -> NDArray[np.float32]:
    scale = CELL / max(image.shape)
    height, width = (max(1, round(side * scale)) for side in image.shape)
    return resized(image, (height, width))

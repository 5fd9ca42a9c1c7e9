"""A sample coming into being, as pictures: a strip of the estimates side by side, and an animation of them.

For `softray suppress --trace`. A frame is the soft-tissue image as it would be if the model's estimate at that timestep
were its last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

FRAMES = 10
"""Estimates shown of a long run; a short one is shown whole."""
STRIP_NAME, ANIMATION_NAME = "steps.png", "steps.gif"
FRAME_MS, LAST_FRAME_MS = 400, 2000
MAX_ROW = 6  # frames side by side before the next row begins
CAPTION_PX = 14


@dataclass(frozen=True)
class Frame:
    """One picture: (H, W) float32 in [0, 1] (clipped to it), row 0 at the top, and what is written under it."""

    caption: str
    display: NDArray[np.float32]


def write_trace(frames: Sequence[Frame], folder: Path) -> tuple[Path, Path]:
    """Writes the strip (PNG) and the animation (GIF) into `folder`, which is made; returns their paths.

    Raises ValueError when there is no frame, or the frames' sizes differ.
    """
    pictures = [_captioned(frame) for frame in frames]
    sizes = {picture.size for picture in pictures}
    if len(sizes) != 1:
        raise ValueError(f"expected frames of one size, found {len(pictures)} frames of {len(sizes)} sizes")
    folder.mkdir(parents=True, exist_ok=True)
    strip, animation = folder / STRIP_NAME, folder / ANIMATION_NAME
    _side_by_side(pictures).save(strip)
    durations = [FRAME_MS] * (len(pictures) - 1) + [LAST_FRAME_MS]
    pictures[0].save(animation, save_all=True, append_images=pictures[1:], duration=durations, loop=0)
    return strip, animation


def shown_steps(total: int, frames: int) -> frozenset[int]:
    """Which of the steps 1 … `total` are shown: `frames` of them, evenly distributed, the last always; all if fewer."""
    if total < 1 or frames < 1:
        raise ValueError(f"expected at least one step and one frame, found {total} and {frames}")
    if frames >= total:
        return frozenset(range(1, total + 1))
    if frames == 1:
        return frozenset({total})
    return frozenset(1 + round(i * (total - 1) / (frames - 1)) for i in range(frames))


def _captioned(frame: Frame) -> Image.Image:
    grey = Image.fromarray((np.clip(frame.display, 0.0, 1.0) * 255).round().astype(np.uint8))
    picture = Image.new("L", (grey.width, grey.height + CAPTION_PX))
    picture.paste(grey, (0, 0))
    ImageDraw.Draw(picture).text((3, grey.height + 1), frame.caption, fill=255)
    return picture


def _side_by_side(pictures: Sequence[Image.Image]) -> Image.Image:
    width, height = pictures[0].size
    columns = min(MAX_ROW, len(pictures))
    rows = -(-len(pictures) // columns)
    strip = Image.new("L", (columns * width, rows * height))
    for i, picture in enumerate(pictures):
        strip.paste(picture, (i % columns * width, i // columns * height))
    return strip

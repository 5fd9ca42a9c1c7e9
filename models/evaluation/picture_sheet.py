"""Picture sheets: an image a row, original | soft tissue of each method | truth | bone that each took away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.evaluation.pictures import Display
from models.metrics import fit

PANEL_SIDE = 512
ROWS_A_PAGE = 6
GAP, HEADING, TEXT_SIZE = 8, 26, 18
PAPER, INK, MARK = 24, 235, 255
BONE_GREY, BONE_BRIGHTNESS = 0.25, 2.0


@dataclass(frozen=True)
class Circle:
    """Something to look at: centre and radius in pixels of the picture it is drawn on."""

    row: float
    column: float
    radius: float


@dataclass(frozen=True)
class Panel:
    """One picture of a row, with its title and what to point out in it."""

    title: str
    display: Display
    circles: Sequence[Circle] = ()


def panels(
    name: str,
    cxr: Display,
    soft: Mapping[str, Display],
    truth: Display | None = None,
    circles: Sequence[Circle] = (),
) -> list[Panel]:
    """The row of one radiograph: results as they are, the truth in the radiograph's tone."""
    shown = dict(soft) if truth is None else {**soft, "truth": in_tone_of(cxr, truth)}
    bones = [
        Panel(f"bone: {title}", (BONE_GREY + BONE_BRIGHTNESS * (cxr - image)).astype(np.float32))
        for title, image in shown.items()
    ]
    return [Panel(name, cxr, circles), *(Panel(title, image) for title, image in shown.items()), *bones]


class PictureSheet:
    """Writes rows onto pages of six, `FOLDER/NAME-1.png` and so on; a page is on disk as soon as it is full."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._rows: list[Image.Image] = []
        self.pages: list[Path] = []

    def add(self, row: Sequence[Panel]) -> None:
        """One more row."""
        self._rows.append(_drawn(row))
        if len(self._rows) == ROWS_A_PAGE:
            self.finish()

    def finish(self) -> None:
        """Write what is not yet written."""
        if not self._rows:
            return
        width, height = max(row.width for row in self._rows), sum(row.height for row in self._rows)
        page = Image.new("L", (width, height), PAPER)
        top = 0
        for row in self._rows:
            page.paste(row, (0, top))
            top += row.height
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._name}-{len(self.pages) + 1}.png"
        page.save(path, format="PNG")
        self.pages.append(path)
        self._rows.clear()


def _drawn(row: Sequence[Panel]) -> Image.Image:
    height = max(round(_scale(panel) * panel.display.shape[0]) for panel in row)
    strip = Image.new("L", (len(row) * (PANEL_SIDE + GAP), height + HEADING + GAP), PAPER)
    draw = ImageDraw.Draw(strip)
    font = ImageFont.load_default(TEXT_SIZE)
    for index, panel in enumerate(row):
        left, scale = index * (PANEL_SIDE + GAP), _scale(panel)
        size = [max(1, round(side * scale)) for side in reversed(panel.display.shape)]
        stored = (panel.display.clip(0, 1) * 255).round().astype(np.uint8)
        strip.paste(Image.fromarray(stored).resize((size[0], size[1]), Image.Resampling.LANCZOS), (left, HEADING))
        draw.text((left + 2, 2), _fitting(panel.title, font), fill=INK, font=font)
        for circle in panel.circles:
            x, y, r = left + (circle.column + 0.5) * scale, HEADING + (circle.row + 0.5) * scale, circle.radius * scale
            draw.ellipse((x - r, y - r, x + r, y + r), outline=MARK)
    return strip


def _scale(panel: Panel) -> float:
    """Pixels of the sheet to one of the picture."""
    rows, columns = panel.display.shape
    return float(PANEL_SIDE / max(rows, columns))


def _fitting(title: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    """As much of `title` as fits over a panel."""
    shown = title
    while font.getlength(shown) > PANEL_SIDE - 4:
        shown = shown[:-2] + "…"
    return shown


def in_tone_of(cxr: Display, image: Display) -> Display:
    """`image` in the radiograph's tone: what a scanner toned for itself could not be compared by eye."""
    return fit(image, cxr).astype(np.float32)

"""The table over radiographs without a truth: what changes where nothing may, and whether structure is invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from models.evaluation.methods import ModelRun
from models.evaluation.over_pairs import OnImage
from models.evaluation.picture_sheet import PictureSheet, panels
from models.evaluation.pictures import Display, PictureReader, at_figure_size, read_picture
from models.gaussian import high_pass
from models.metrics.body import body_masks
from models.metrics.honest import DETAIL_SIGMA

SMALLEST_OUTSIDE = 0.005
"""Share of the image below which too little of it lies outside the patient for a figure."""
SHEET_ROWS = 6


@dataclass(frozen=True)
class ChangeOutside:
    """Change of display values outside the patient, percent of the display's range."""

    mean: float
    p999: float
    """99.9th percentile."""


@dataclass(frozen=True)
class RadiographFigures:
    """One model on one radiograph, at 1024 px."""

    outside: ChangeOutside | None
    """`None`: the patient fills the image."""
    high_pass_correlation: float
    """Of source and result above 6 px, in the patient: 1 the same fine structure."""


@dataclass(frozen=True)
class RadiographsSummary:
    """One model over all radiographs: means, and the worst image's change outside the patient."""

    outside_mean: float
    outside_worst: float
    outside_p999: float
    high_pass_correlation: float
    least_correlation: float


@dataclass(frozen=True)
class RadiographsTable:
    """All radiographs and models; `with_outside` of them show something besides the patient."""

    images: Mapping[str, Mapping[str, RadiographFigures]]
    with_outside: int
    summary: Mapping[str, RadiographsSummary]


def measure_radiographs(
    files: Mapping[str, Path],
    models: Sequence[ModelRun],
    reader: PictureReader,
    on_image: OnImage,
    sheet: PictureSheet | None = None,
) -> RadiographsTable:
    """Every model on all radiographs of `files`, by name. Raises EvaluationError, or what reading and models raise."""
    drawn = {list(files)[index] for index in np.linspace(0, len(files) - 1, SHEET_ROWS).round().astype(int)}
    images: dict[str, Mapping[str, RadiographFigures]] = {}
    for done, (name, path) in enumerate(files.items(), start=1):
        native = read_picture(path, reader)
        soft = {model.title: at_figure_size(model.suppressed(native)) for model in models}
        cxr = at_figure_size(native)
        images[name] = {title: measure_radiograph(cxr, image) for title, image in soft.items()}
        if sheet is not None and name in drawn:
            sheet.add(panels(f"{name}: original", cxr, soft))
        on_image(f"radiograph {name}", done, len(files))
    summary = {model.title: _summary([found[model.title] for found in images.values()]) for model in models}
    outside = [next(iter(found.values())).outside for found in images.values()]
    return RadiographsTable(images, sum(one is not None for one in outside), summary)


def measure_radiograph(cxr: Display, soft: Display) -> RadiographFigures:
    """Figures of a result `soft` without a truth; both (H, W) at the size at which figures are taken."""
    masks = body_masks(cxr)
    change = 100 * np.abs(cxr - soft)[masks.outside].astype(np.float64)
    enough = change.size >= SMALLEST_OUTSIDE * cxr.size
    planes = torch.from_numpy(np.stack([cxr, soft]).astype(np.float32))[:, None]
    before, after = (plane[masks.body] for plane in high_pass(planes, DETAIL_SIGMA)[:, 0].numpy())
    return RadiographFigures(
        ChangeOutside(float(change.mean()), float(np.quantile(change, 0.999))) if enough else None,
        float(np.corrcoef(before, after)[0, 1]),
    )


def _summary(found: Sequence[RadiographFigures]) -> RadiographsSummary:
    outside = [one.outside for one in found if one.outside is not None]
    means, extremes = [one.mean for one in outside], [one.p999 for one in outside]
    correlations = [one.high_pass_correlation for one in found]
    return RadiographsSummary(
        outside_mean=float(np.mean(means)) if means else float("nan"),
        outside_worst=max(means, default=float("nan")),
        outside_p999=float(np.mean(extremes)) if extremes else float("nan"),
        high_pass_correlation=float(np.mean(correlations)),
        least_correlation=min(correlations),
    )

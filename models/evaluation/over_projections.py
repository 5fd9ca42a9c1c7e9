"""The table over CT projections left out of training: bone that is known exactly, and nodules planted under it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import torch
import torch.nn.functional as F
from torch import Tensor

from models.evaluation.errors import EvaluationError, EvaluationFault
from models.evaluation.figures import mean_record
from models.evaluation.methods import ModelRun
from models.evaluation.nodules import PlantedNodule, choose_nodules, nodule_path
from models.evaluation.over_pairs import OnImage
from models.evaluation.picture_sheet import Circle, PictureSheet, panels
from models.evaluation.pictures import FIGURE_SIDE, Case, Display
from models.metrics import Scores, score
from models.metrics.nodule import contrast_kept, disc
from models.training.augment import exposed
from models.training.data import HELD_OUT_PROJECTIONS
from models.training.projections import read_projections

TOLERANCE = 0.10
"""How far a nodule's contrast may be off to count as kept."""
SHEET_ROWS = 4
CIRCLE = 1.5
"""Radii at which a nodule is ringed."""


@dataclass(frozen=True)
class Projection:
    """One projection as a pair, once as it is and once with nodules; 1024 px wide."""

    case: Case
    with_nodules: Case
    nodules: tuple[PlantedNodule, ...]
    scale: float
    """Pixels of the pictures to one of the projection's grid."""

    def circle(self, nodule: PlantedNodule, radii: float = 1.0) -> Circle:
        """Where the nodule is in the pictures."""
        row, column = ((place + 0.5) * self.scale - 0.5 for place in (nodule.row, nodule.column))
        return Circle(row, column, radii * nodule.radius * self.scale)


@dataclass(frozen=True)
class NoduleContrast:
    """One planted nodule and the share of its contrast that each method kept."""

    diameter_mm: float
    bone_cm: float
    contrast: float
    """In the true soft tissue, mean over the nodule, display units."""
    kept: Mapping[str, float]


@dataclass(frozen=True)
class ProjectionFigures:
    """One projection: scores without nodules, and the nodules."""

    name: str
    scores: Mapping[str, Scores]
    nodules: tuple[NoduleContrast, ...]


@dataclass(frozen=True)
class NoduleSummary:
    """Contrast kept over all nodules of all projections; `within` is the share of them within ±10 %."""

    count: int
    mean: float
    least: float
    most: float
    within: float


@dataclass(frozen=True)
class ProjectionsTable:
    """All projections, and each method's mean and nodules over them."""

    images: tuple[ProjectionFigures, ...]
    mean: Mapping[str, Scores]
    nodules: Mapping[str, NoduleSummary]


def read_held_out(path: Path) -> list[Projection]:
    """The last eight projections in `path`, exposed with an ordinary tone each. Raises EvaluationError.

    Both versions of a projection go through the same tone curve. The black bands that training letterboxes them with
    are no part of the picture.
    """
    soft, bone = _paths(path)
    nodules = [
        choose_nodules(one, its_bone, index) for index, (one, its_bone) in enumerate(zip(soft, bone, strict=True))
    ]
    shape = (soft.shape[1], soft.shape[2])
    planted = torch.stack([nodule_path(chosen, shape) for chosen in nodules])
    plain, filled = _pictures(soft, bone), _pictures(soft + planted, bone)
    scale = FIGURE_SIDE / max(shape)
    return [
        Projection(Case(f"ct-{i}", *plain[i]), Case(f"ct-{i}", *filled[i]), chosen, scale)
        for i, chosen in enumerate(nodules)
    ]


def measure_projections(
    projections: Sequence[Projection], models: Sequence[ModelRun], on_image: OnImage, sheet: PictureSheet | None = None
) -> ProjectionsTable:
    """The radiograph itself and every model on every projection."""
    methods: dict[str, Callable[[Display], Display]] = {"identity": lambda cxr: cxr}
    methods |= {model.title: model.suppressed for model in models}
    images = []
    for done, projection in enumerate(projections, start=1):
        plain = {title: method(projection.case.cxr) for title, method in methods.items()}
        filled = {title: method(projection.with_nodules.cxr) for title, method in methods.items()}
        images.append(_measure(projection, plain, filled))
        if sheet is not None and done <= SHEET_ROWS:
            shown = {title: soft for title, soft in filled.items() if title != "identity"}
            rings = [projection.circle(nodule, CIRCLE) for nodule in projection.nodules]
            case = projection.with_nodules
            sheet.add(panels(f"{case.name}: original, nodules ringed", case.cxr, shown, case.truth, rings))
        on_image(f"projection {projection.case.name}", done, len(projections))
    return ProjectionsTable(
        tuple(images),
        {title: mean_record([image.scores[title] for image in images]) for title in methods},
        {title: _summary([nodule.kept[title] for image in images for nodule in image.nodules]) for title in methods},
    )


def _measure(projection: Projection, plain: Mapping[str, Display], filled: Mapping[str, Display]) -> ProjectionFigures:
    case, with_nodules = projection.case, projection.with_nodules
    scores = {title: score(soft, case.cxr, case.truth) for title, soft in plain.items()}
    nodules = []
    for nodule in projection.nodules:
        place = projection.circle(nodule)
        inside = disc(case.cxr.shape, place.row, place.column, place.radius)
        kept = {
            title: contrast_kept(filled[title], plain[title], with_nodules.truth, case.truth, inside) for title in plain
        }
        contrast = float((with_nodules.truth - case.truth)[inside].mean())
        nodules.append(NoduleContrast(nodule.diameter_mm, nodule.bone_cm, contrast, kept))
    return ProjectionFigures(case.name, scores, tuple(nodules))


def _summary(kept: list[float]) -> NoduleSummary:
    if not kept:
        return NoduleSummary(0, math.nan, math.nan, math.nan, math.nan)
    within = sum(abs(share - 1) <= TOLERANCE for share in kept) / len(kept)
    return NoduleSummary(len(kept), sum(kept) / len(kept), min(kept), max(kept), within)


def _paths(path: Path) -> tuple[Tensor, Tensor]:
    """(N, H, W) cm of water: soft tissue and bone of the projections left out."""
    try:
        found = read_projections(path)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise EvaluationError(
            EvaluationFault.PROJECTIONS_INVALID,
            f"expected projections of a CT (.npz with soft and bone) in {path}, found none ({type(error).__name__})",
        ) from error
    soft, bone = found.soft[-HELD_OUT_PROJECTIONS:], found.bone[-HELD_OUT_PROJECTIONS:]
    if soft.ndim != 3 or soft.shape != bone.shape or soft.numel() == 0:
        raise EvaluationError(
            EvaluationFault.PROJECTIONS_INVALID,
            f"{path.name}: expected soft and bone of one shape (N, H, W), "
            f"found {tuple(soft.shape)} and {tuple(bone.shape)}",
        )
    if not bool(torch.isfinite(soft).all() and torch.isfinite(bone).all()):
        raise EvaluationError(EvaluationFault.NOT_FINITE, f"{path.name}: expected finite paths, found NaN or infinity")
    return soft, bone


def _pictures(soft: Tensor, bone: Tensor) -> list[tuple[Display, Display]]:
    """Radiograph and soft tissue of each projection, display units; the same draw of tones at every call."""
    radiographs, residuals = exposed(soft[:, None], bone[:, None], torch.Generator().manual_seed(0))
    both = torch.cat([radiographs, radiographs - residuals], 1)
    size = [round(side * FIGURE_SIDE / max(both.shape[2:])) for side in both.shape[2:]]
    both = F.interpolate(both, size=size, mode="bicubic").clamp(0, 1)
    return [(pair[0].numpy(), pair[1].numpy()) for pair in both]

"""The tables as JSON, for whoever compares evaluations.

A figure that was not measured, is not a number or is infinite (an exact match has no error) is null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict

from models.evaluation.figures import HONEST, PUBLISHED, Figures, by_key
from models.evaluation.over_pairs import PairsTable
from models.evaluation.over_projections import ProjectionsTable
from models.evaluation.over_radiographs import RadiographsTable
from models.evaluation.pictures import FIGURE_SIDE
from models.evaluation.run import Evaluation
from models.metrics import Scores

FORMAT = 1


def json_report(evaluation: Evaluation) -> str:
    """The whole evaluation as one JSON object; sections that were not measured are null."""
    report: dict[str, object] = {
        "format": FORMAT,
        "figure_side_px": FIGURE_SIDE,
        "figures": {column.key: f"{column.heading}: {column.meaning}" for column in (*HONEST, *PUBLISHED)},
        "pairs": None if evaluation.pairs is None else _pairs(evaluation.pairs),
        "projections": None if evaluation.projections is None else _projections(evaluation.projections),
        "radiographs": None if evaluation.radiographs is None else _radiographs(evaluation.radiographs),
    }
    return json.dumps(_finite(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _pairs(found: PairsTable) -> dict[str, object]:
    return {
        "images": [
            {"name": image.name, "width": image.width, "height": image.height, "methods": _figures(image.methods)}
            for image in found.images
        ],
        "mean": _figures(found.mean),
    }


def _projections(found: ProjectionsTable) -> dict[str, object]:
    return {
        "images": [
            {
                "name": image.name,
                "methods": {title: _scores(scores) for title, scores in image.scores.items()},
                "nodules": [asdict(nodule) for nodule in image.nodules],
            }
            for image in found.images
        ],
        "mean": {title: _scores(scores) for title, scores in found.mean.items()},
        "nodules": {title: asdict(summary) for title, summary in found.nodules.items()},
    }


def _radiographs(found: RadiographsTable) -> dict[str, object]:
    images = {name: {title: asdict(one) for title, one in methods.items()} for name, methods in found.images.items()}
    return {
        "images": images,
        "with_outside": found.with_outside,
        "summary": {title: asdict(summary) for title, summary in found.summary.items()},
    }


def _figures(methods: Mapping[str, Figures]) -> dict[str, object]:
    return {title: dict(by_key(figures)) for title, figures in methods.items()}


def _scores(scores: Scores) -> dict[str, object]:
    return {"psnr": scores.psnr_db, "bone_left": scores.bone_left, "detail": scores.detail_kept}


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

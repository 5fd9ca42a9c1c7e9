"""One evaluation: which pictures, which methods, and the tables that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.evaluation.errors import EvaluationError, EvaluationFault
from models.evaluation.methods import Affine, Identity, Method, ModelRun, prediction_folders
from models.evaluation.over_pairs import OnImage, PairsTable, find_pairs, measure_pairs
from models.evaluation.over_projections import ProjectionsTable, measure_projections, read_held_out
from models.evaluation.over_radiographs import RadiographsTable, measure_radiographs
from models.evaluation.picture_sheet import PictureSheet
from models.evaluation.pictures import PictureReader, PngReader, named_pictures
from models.metrics.lpips import load_lpips


@dataclass(frozen=True)
class Subjects:
    """What is looked at; each part is measured when it is given."""

    cxr: Path | None = None
    """Folder of radiographs; with `truth`."""
    truth: Path | None = None
    """Folder of their soft-tissue images, by the same names."""
    predictions: tuple[Path, ...] = ()
    """Folders of results made elsewhere, by the same names."""
    pairs: tuple[str, ...] = ()
    """Names of the pairs to take; empty: all."""
    projections: Path | None = None
    """What `project` of models.training wrote."""
    unpaired: Path | None = None
    """Folder of radiographs without a truth."""


@dataclass(frozen=True)
class Evaluation:
    """The tables; `None` where nothing was given."""

    pairs: PairsTable | None = None
    projections: ProjectionsTable | None = None
    radiographs: RadiographsTable | None = None
    lpips_supplied: bool = False
    judged: tuple[str, ...] = ()
    """Titles of the rows that requirements hold for: predictions and models, not the baselines."""
    pages: tuple[Path, ...] = ()
    """Picture sheets that were written."""


def evaluate(
    subjects: Subjects,
    models: Sequence[ModelRun],
    *,
    on_image: OnImage,
    reader: PictureReader | None = None,
    lpips: Path | None = None,
    pictures: Path | None = None,
) -> Evaluation:
    """All tables. `lpips`: the operator's weights; `pictures`: folder for picture sheets, `None` for none.

    Raises EvaluationError, PairDataError, WeightsError or OutputError; everything that can be checked without running
    a network is checked first.
    """
    reader = reader or PngReader()
    _require_something(subjects, models)
    distance = None if lpips is None else load_lpips(lpips)
    predictions = prediction_folders(subjects.predictions, reader)
    own: list[Method] = [*predictions, *models]
    found = None
    if subjects.cxr is not None and subjects.truth is not None:
        found = find_pairs(subjects.cxr, subjects.truth, subjects.pairs, reader)
    held_out = None if subjects.projections is None else read_held_out(subjects.projections)
    lone = None if subjects.unpaired is None else named_pictures(subjects.unpaired, reader)
    sheets = (
        {name: PictureSheet(pictures, name) for name in ("pairs", "projections", "radiographs")} if pictures else {}
    )
    pairs = projections = radiographs = None
    if found is not None:
        methods: list[Method] = [Identity(), Affine(), *own]
        pairs = measure_pairs(found, methods, reader, on_image, distance, sheets.get("pairs"))
    if held_out is not None:
        projections = measure_projections(held_out, models, on_image, sheets.get("projections"))
    if lone is not None:
        radiographs = measure_radiographs(lone, models, reader, on_image, sheets.get("radiographs"))
    for sheet in sheets.values():
        sheet.finish()
    pages = tuple(page for sheet in sheets.values() for page in sheet.pages)
    judged = tuple(method.title for method in own)
    return Evaluation(pairs, projections, radiographs, distance is not None, judged, pages)


def _require_something(subjects: Subjects, models: Sequence[ModelRun]) -> None:
    if (subjects.cxr is None) != (subjects.truth is None):
        lone = "--cxr" if subjects.truth is None else "--truth"
        raise EvaluationError(
            EvaluationFault.NOTHING_TO_MEASURE, f"expected radiographs and their truths, found only {lone}"
        )
    if subjects.cxr is None and (subjects.predictions or subjects.pairs):
        raise EvaluationError(
            EvaluationFault.NOTHING_TO_MEASURE,
            "expected --cxr and --truth beside --prediction or --pair, found neither",
        )
    if subjects.cxr is None and subjects.projections is None and subjects.unpaired is None:
        raise EvaluationError(
            EvaluationFault.NOTHING_TO_MEASURE,
            "expected pairs (--cxr and --truth), --projections or --unpaired, found none of them",
        )
    if subjects.unpaired is not None and not models:
        raise EvaluationError(
            EvaluationFault.NOTHING_TO_MEASURE, "expected a model to run on the --unpaired radiographs, found none"
        )

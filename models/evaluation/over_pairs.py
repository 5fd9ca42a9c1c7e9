"""The table over pairs with a dual-energy truth: every figure of every method, image by image, and the mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.evaluation.errors import EvaluationError, EvaluationFault
from models.evaluation.figures import Figures, figures, mean_figures
from models.evaluation.methods import Method, Predictions
from models.evaluation.picture_sheet import PictureSheet, in_tone_of, panels
from models.evaluation.pictures import (
    Case,
    PictureReader,
    at_figure_size,
    named_pictures,
    read_case,
    require_names,
)
from models.metrics.lpips import Lpips
from models.pairs.record import read_pairs_file
from models.pairs.split import Split

OnImage = Callable[[str, int, int], None]
"""Called with what was done last, how many are done, and how many there are."""


@dataclass(frozen=True)
class PairFigures:
    """One pair: its own size in pixels, and every method's figures, taken at 1024 px."""

    name: str
    width: int
    height: int
    methods: Mapping[str, Figures]


@dataclass(frozen=True)
class PairsTable:
    """All pairs, and each method's mean over them."""

    images: tuple[PairFigures, ...]
    mean: Mapping[str, Figures]


@dataclass(frozen=True)
class PairPictures:
    """Where the pairs' pictures lie, by name."""

    cxr: Mapping[str, Path]
    truth: Mapping[str, Path]


def find_pairs(cxr: Path, truth: Path, only: Sequence[str], reader: PictureReader) -> PairPictures:
    """The radiographs in `cxr` with their truths, those named in `only` or all. Raises EvaluationError."""
    radiographs, truths = named_pictures(cxr, reader), named_pictures(truth, reader)
    require_names(list(only), radiographs, cxr)
    names = [name for name in radiographs if not only or name in only]
    require_names(names, truths, truth)
    return PairPictures({name: radiographs[name] for name in names}, {name: truths[name] for name in names})


def pairs_of_split(cxr: Path, split: Split) -> tuple[str, ...]:
    """Names of the pairs of one split, as `pairs.json` beside the folder of radiographs records it.

    Raises PairDataError where there is no such record, EvaluationError where the split is empty.
    """
    recorded = read_pairs_file(cxr.resolve().parent)
    names = tuple(name for name, pair in recorded.pairs.items() if pair.split is split)
    if not names:
        raise EvaluationError(
            EvaluationFault.PICTURE_MISSING, f"expected pairs in the split {split.value!r} of {cxr}, found none"
        )
    return names


def measure_pairs(
    pictures: PairPictures,
    methods: Sequence[Method],
    reader: PictureReader,
    on_image: OnImage,
    lpips: Lpips | None = None,
    sheet: PictureSheet | None = None,
) -> PairsTable:
    """Every method on every pair. Raises EvaluationError, or what reading and the networks raise."""
    for method in methods:
        if isinstance(method, Predictions):
            require_names(list(pictures.cxr), method.files, method.folder)
    images = []
    for done, name in enumerate(pictures.cxr, start=1):
        case = read_case(name, pictures.cxr[name], pictures.truth[name], reader)
        images.append(_measure(case, methods, lpips, sheet))
        on_image(f"pair {name}", done, len(pictures.cxr))
    mean = {method.title: mean_figures([image.methods[method.title] for image in images]) for method in methods}
    return PairsTable(tuple(images), mean)


def _measure(case: Case, methods: Sequence[Method], lpips: Lpips | None, sheet: PictureSheet | None) -> PairFigures:
    cxr, truth = at_figure_size(case.cxr), at_figure_size(case.truth)
    soft = {method.title: at_figure_size(method.soft_tissue(case)) for method in methods}
    if sheet is not None:
        shown = {
            method.title: in_tone_of(cxr, soft[method.title]) if isinstance(method, Predictions) else soft[method.title]
            for method in methods
            if not method.is_baseline
        }
        sheet.add(panels(f"{case.name}: original", cxr, shown, truth))
    height, width = case.cxr.shape
    found = {title: figures(image, cxr, truth, lpips) for title, image in soft.items()}
    return PairFigures(case.name, width, height, found)

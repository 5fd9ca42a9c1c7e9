"""`softray evaluate`: pictures in PNG or DICOM, the tables in a terminal, as JSON and as picture sheets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dicom_node.pixels import read_source
from models.evaluation import (
    Evaluation,
    ModelRun,
    Subjects,
    evaluate,
    json_report,
    missed,
    model_runs,
    pairs_of_split,
    parse_model_choice,
    parse_requirements,
    require_measurable,
    tables,
)
from models.pairs.folder import read_grey16
from models.pairs.split import Split
from service.errors import PermanentError
from service.settings import Settings
from worker.image_files import read_radiograph

console = Console(soft_wrap=True, highlight=False)
DICOM_PREFIX_AT = 128


class RadiographReader:
    """Grey PNG, or DICOM as the service sees it: window and polarity applied, full depth. A `PictureReader`."""

    def accepts(self, path: Path) -> bool:
        """By the ending for PNG, by the prefix for DICOM, whose files are often named without any."""
        if path.suffix.lower() == ".png":
            return True
        try:
            with path.open("rb") as opened:
                opened.seek(DICOM_PREFIX_AT)
                return opened.read(4) == b"DICM"
        except OSError:
            return False

    def read(self, path: Path) -> NDArray[np.float32]:
        """(H, W) float32, [0, 1]. Raises PairDataError, PermanentError or PixelError."""
        if path.suffix.lower() == ".png":
            return read_grey16(path)
        return read_source(read_radiograph(path)).display


def run(
    settings: Settings,
    *,
    cxr: Path | None,
    truth: Path | None,
    predictions: tuple[Path, ...],
    pairs: tuple[str, ...],
    split: str | None,
    projections: Path | None,
    unpaired: Path | None,
    models: Sequence[str],
    seeds: int,
    json: Path | None,
    pictures: Path | None,
    lpips: Path | None,
    require: str,
) -> None:
    """Print the tables and write what was asked. Raises ModelsError, or PermanentError when a requirement is missed."""
    if split is not None:
        if cxr is None:
            raise PermanentError("NOTHING_TO_MEASURE", "expected --cxr and --truth beside --split, found neither")
        pairs = (*pairs, *pairs_of_split(cxr, Split(split)))
    subjects = Subjects(cxr, truth, predictions, pairs, projections, unpaired)
    requirements = parse_requirements(require)
    require_measurable(requirements, subjects, with_models=bool(models), with_lpips=lpips is not None)
    _make_folders(json, pictures)
    choices = [parse_model_choice(text) for text in models]
    with console.status("loading the models …"):
        runs = model_runs(choices, [settings.effective_weights_dir], settings.device, seeds)
    found = _evaluate(subjects, runs, lpips, pictures)
    for part in tables(found):
        console.print(part)
    for page in found.pages:
        console.print(f"picture sheet: {page}", markup=False)
    if json is not None:
        json.write_text(json_report(found), encoding="utf-8")
        console.print(f"as JSON: {json}", markup=False)
    failures = missed(requirements, found)
    if failures:
        raise PermanentError("REQUIREMENT_MISSED", "; ".join(failures))


def _make_folders(json: Path | None, pictures: Path | None) -> None:
    """Before anything is computed. Raises PermanentError."""
    for folder in [*([json.parent] if json else []), *([pictures] if pictures else [])]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PermanentError(
                "NOT_WRITABLE", f"expected to write into a folder {folder}, found: {error.strerror}"
            ) from error


def _evaluate(subjects: Subjects, runs: Sequence[ModelRun], lpips: Path | None, pictures: Path | None) -> Evaluation:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("evaluating", total=None)

        def on_image(done: str, count: int, total: int) -> None:
            progress.update(task, description=done, completed=count, total=total)

        return evaluate(subjects, runs, on_image=on_image, reader=RadiographReader(), lpips=lpips, pictures=pictures)

"""What is evaluated: installed models run here, results that others made, and what no model at all scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from models import library
from models.evaluation.errors import EvaluationError, EvaluationFault
from models.evaluation.pictures import Case, Display, PictureReader, named_pictures, read_picture, require_one_size
from models.manifest import PRESET_NAMES
from models.metrics import fit
from models.preprocess import from_model, to_model
from models.spared import spared
from models.suppressor import Suppressor


class Method(Protocol):
    """One row of the table over pairs."""

    @property
    def title(self) -> str:
        """Its name in tables, unique."""
        ...

    @property
    def is_baseline(self) -> bool:
        """Whether it is there for comparison only: no requirement holds for it."""
        ...

    def soft_tissue(self, case: Case) -> Display:
        """Its soft-tissue image of `case.cxr`, of the same size."""
        ...


@dataclass(frozen=True)
class Identity:
    """The radiograph itself: what doing nothing scores."""

    title: str = "identity"
    is_baseline: bool = True

    def soft_tissue(self, case: Case) -> Display:
        """The radiograph."""
        return case.cxr


@dataclass(frozen=True)
class Affine:
    """The radiograph with the truth's tone, image by image: what knowing the scanner's tone alone scores."""

    title: str = "affine"
    is_baseline: bool = True

    def soft_tissue(self, case: Case) -> Display:
        """The radiograph after the tone fit."""
        return fit(case.cxr, case.truth).astype(np.float32)


class Predictions:
    """A folder of soft-tissue images that were made elsewhere, by the radiographs' names."""

    is_baseline = False

    def __init__(self, folder: Path, reader: PictureReader, title: str) -> None:
        self.title = title
        self.folder = folder
        self.files = named_pictures(folder, reader)
        self._reader = reader

    def soft_tissue(self, case: Case) -> Display:
        """As it lies in the folder. Raises EvaluationError or the reader's own."""
        path = self.files[case.name]
        found = read_picture(path, self._reader)
        require_one_size(found, path, case.cxr, "its radiograph")
        return found


class ModelRun:
    """A loaded model as the service runs it: the residual, or the mean of several seeds', taken from the source."""

    is_baseline = False

    def __init__(self, suppressor: Suppressor, seeds: int = 1) -> None:
        identity = suppressor.identity
        averaged = f", mean of {seeds} seeds" if seeds > 1 else ""
        self.title = f"{identity.name} ({identity.sampler}, {identity.steps}{averaged})"
        self._suppressor = suppressor
        self._seeds = seeds

    def soft_tissue(self, case: Case) -> Display:
        """See `suppressed`; the truth is not looked at."""
        return self.suppressed(case.cxr)

    def suppressed(self, cxr: Display) -> Display:
        """The soft-tissue image at the radiograph's own size, display units. Raises OutputError."""
        seen, placement = to_model(cxr, self._suppressor.image_size)
        residual = torch.zeros_like(seen)
        for seed in range(self._seeds):
            residual += self._suppressor.bone_residual(seen, seeds=[seed], on_step=lambda _step, _total: None)
        return cxr - spared(from_model(residual / self._seeds, placement), cxr, self._suppressor.identity.architecture)


@dataclass(frozen=True)
class ModelChoice:
    """An installed model and how to run it: preset, and steps (0: the preset's own)."""

    name: str
    preset: str = "fast"
    steps: int = 0


def parse_model_choice(text: str) -> ModelChoice:
    """NAME[:preset[:steps]], e.g. `bs-ldm-lite:fast:4`. Raises EvaluationError."""
    name, preset, steps, *more = (*text.split(":"), "", "")
    if not name or any(more) or preset not in ("", *PRESET_NAMES) or not (steps == "" or steps.isdecimal()):
        raise EvaluationError(
            EvaluationFault.MODEL_CHOICE_INVALID,
            f"expected a model as NAME, NAME:{'|'.join(PRESET_NAMES)} or NAME:preset:steps, found {text!r}",
        )
    return ModelChoice(name, preset or "fast", int(steps or 0))


def model_runs(
    choices: Sequence[ModelChoice], weights_dirs: Sequence[Path] = (), device: str = "auto", seeds: int = 1
) -> list[ModelRun]:
    """Each model once with seed 0 and, where it samples and `seeds` > 1, once more as the mean over seeds 0 … seeds-1.

    Raises WeightsError (not installed, altered), ConfigError (preset, steps) or DeviceError.
    """
    runs: dict[str, ModelRun] = {}
    for choice in choices:
        suppressor = library.load(choice.name, weights_dirs, choice.preset, choice.steps, device)
        random = suppressor.identity.sampler != "one-pass"
        for count in (1, seeds) if random and seeds > 1 else (1,):
            run = ModelRun(suppressor, count)
            runs[run.title] = run
    return list(runs.values())


def prediction_folders(folders: Sequence[Path], reader: PictureReader) -> list[Predictions]:
    """One row a folder, named as the folder is, or by its whole path where two have one name.

    They say that they are folders, so that one named `identity` or `truth` is not taken for it.
    """
    names = [folder.resolve().name for folder in folders]
    return [
        Predictions(folder, reader, f"{name if names.count(name) == 1 else folder} (folder)")
        for folder, name in zip(folders, names, strict=True)
    ]

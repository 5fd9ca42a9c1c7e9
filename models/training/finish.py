"""The end of a training: its averaged weights as a model, judged on pairs left out, and installed under a name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.evaluation.methods import ModelRun
from models.golden import record_golden
from models.library import load_manifest
from models.manifest import Manifest
from models.metrics import Scores, score
from models.phantom import render
from models.preprocess import to_model
from models.training.data import Pair, letterboxed
from models.training.errors import TrainingError, TrainingFault
from models.training.export import write_model
from models.training.pair_data import read_all
from models.training.run_files import MODEL, VALIDATION
from models.training.session import Session

FIGURE_SIZE = 1024
JUDGED = 16
"""At most so many pairs of the validation split: this is a look, `softray evaluate` is the table."""
LICENCE = "as stated by whoever trained it"


@dataclass(frozen=True)
class Validation:
    """Figures on the validation split."""

    pairs: int
    gives_model: bool
    model: Scores | None
    """Means; None where there is no model or no pair."""
    identity: Scores | None
    """What doing nothing scores on the same pairs."""
    figures: Mapping[str, float]
    """Of trainings that give no model."""


def validate(session: Session) -> Validation:
    """Writes the finished model into the run folder, judges it as the service would run it, keeps the figures."""
    files = session.validation[:JUDGED]
    finished = session.objective.model(session.trainer.averaged)
    if finished is None:
        figures = session.objective.figures(session.trainer.averaged, read_all(files))
        result = Validation(len(files), False, None, None, figures)
    else:
        manifest = write_model(
            finished, session.folder.path / MODEL / session.config.kind, version="0", note=note(session), replace=True
        )
        judged = ModelRun(load_manifest(manifest, device=session.trainer.device.type))
        pairs = [_at_figure_size(pair) for pair in read_all(files)]
        result = Validation(
            len(files),
            True,
            _mean([score(judged.suppressed(pair.cxr), pair.cxr, pair.soft) for pair in pairs]),
            _mean([score(pair.cxr, pair.cxr, pair.soft) for pair in pairs]),
            {},
        )
    (session.folder.path / VALIDATION).write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")
    return result


def install(session: Session, into: Path, name: str, *, version: str, licence: str, replace: bool) -> Manifest:
    """The averaged weights as model `name` in the weights folder `into`, with its golden phantom.

    Raises TrainingError (what was trained is no model, or not trained yet), ConfigError or WeightsError.
    """
    if session.trainer.step == 0:
        raise TrainingError(
            TrainingFault.RUN_MISSING, f"expected a checkpoint to export in {session.folder.path}, found none"
        )
    finished = session.objective.model(session.trainer.averaged)
    if finished is None:
        raise TrainingError(
            TrainingFault.NOT_A_MODEL,
            f"{session.config.kind}: expected a training that gives a model by itself, found a part of one; train "
            "the other part over this run (ldm over vqgan, bsdiff's enhancer over its denoiser) and export that",
        )
    into.mkdir(parents=True, exist_ok=True)
    manifest = write_model(finished, into / name, version=version, note=note(session), licence=licence, replace=replace)
    size = load_manifest(manifest, device="cpu").image_size
    return record_golden(manifest, to_model(render(size).radiograph, size)[0])


def note(session: Session) -> str:
    """One paragraph on data and recipe, for the manifest."""
    facts = session.folder.facts()
    digests = facts.nested("digests")
    known = ", ".join(f"{name} {digests.text(name)[:12]}" for name in digests.names())
    return (
        f"softray train {session.config.kind}: {session.trainer.step} of {session.config.engine.steps} steps, seed "
        f"{session.config.seed}, {session.data} pairs; digests: {known}; code: {facts.text('code')}. Not validated for "
        "clinical use."
    )


def _at_figure_size(pair: Pair) -> Pair:
    """Filter widths of the figures are stated in pixels of this size."""
    both: Tensor = letterboxed(torch.from_numpy(np.stack([pair.cxr, pair.soft]))[None], FIGURE_SIZE)[0]
    return Pair(pair.name, both[0].numpy(), both[1].numpy())


def _mean(scores: list[Scores]) -> Scores | None:
    if not scores:
        return None
    names = Scores.__dataclass_fields__
    return Scores(*(float(np.mean([getattr(one, name) for one in scores])) for name in names))

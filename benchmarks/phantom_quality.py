"""What each installed model does to the phantom, whose bone is known exactly: what stays of it, and what else is lost.

The phantom took no part in any training. Each is rendered with its three nodules and without them; nodule contrast kept
is `models.metrics.nodule`, the same figure as on CT projections: 1 is right, 0 is a nodule that was taken for bone.
Run: python -m benchmarks.phantom_quality
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models import library
from models.evaluation import ModelRun
from models.metrics import score
from models.metrics.nodule import contrast_kept, disc
from models.phantom import Phantom, render

console = Console()
SIDE = 1024
SEEDS = (7, 8, 9)

Method = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Radiograph → soft-tissue image, display units."""


@dataclass(frozen=True)
class Twins:
    """One patient with nodules and without."""

    with_nodules: Phantom
    without: Phantom


def main() -> None:
    """Print one table, the mean over three phantoms."""
    patients = [Twins(render(SIDE, seed), render(SIDE, seed, with_nodules=False)) for seed in SEEDS]
    table = Table("method", "tone-fitted PSNR, dB", "bone left", "detail kept", "nodule contrast kept (each)")
    _row(table, "identity", patients, lambda radiograph: radiograph)
    for manifest in library.installed([]):
        with console.status(f"{manifest.name} …"):
            model = ModelRun(library.load(manifest.name))
            _row(table, model.title, patients, model.suppressed)
    console.print(table)


def _row(table: Table, title: str, patients: list[Twins], method: Method) -> None:
    scores, kept = [], []
    for patient in patients:
        shown, plain = (method(phantom.radiograph) for phantom in (patient.with_nodules, patient.without))
        scores.append(score(shown, patient.with_nodules.radiograph, patient.with_nodules.soft_tissue))
        true, true_plain = patient.with_nodules.soft_tissue, patient.without.soft_tissue
        for nodule in patient.with_nodules.nodules:
            inside = disc(true.shape, nodule.row, nodule.column, nodule.radius)
            kept.append(contrast_kept(shown, plain, true, true_plain, inside))
    table.add_row(
        title,
        f"{np.mean([s.psnr_db for s in scores]):.2f}",
        f"{np.mean([s.bone_left for s in scores]):.3f}",
        f"{np.mean([s.detail_kept for s in scores]):.3f}",
        " ".join(f"{share:.2f}" for share in kept),
    )


if __name__ == "__main__":
    main()

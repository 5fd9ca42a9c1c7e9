"""The labelled examples that the image check learns from and is measured on.

Every real frontal radiograph comes as it is and in varied copies; whatever shows the same patient has the same origin,
so that a fold never holds one patient on both sides. Other things are folded by family: an error rate for them is one
for kinds of things never seen.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.image_check.drawn import drawn_chests, drawn_things
from benchmarks.image_check.projected import ct_views
from benchmarks.image_check.real import Sample, frontal_chests, other_things, reduced
from benchmarks.image_check.varied import misplaced, varied
from dicom_node.coarse_image import coarse_image
from models.phantom import render

FRONTAL, LATERAL, OTHER = range(3)
REAL = ("nih", "hannover", "szch")
FRONTAL_FAMILIES = {*REAL, "phantom", "ct frontal", "drawn chest"}
LATERAL_FAMILIES = {"ct lateral", "ct oblique", "dog", "drawn lateral"}
OF_A_REAL_PATIENT = {*REAL, "turned 90", "turned 180", "turned 270", "part of a chest"}
FOLDS = 5


@dataclass(frozen=True)
class Examples:
    """Row i of each: `ranks` (N, 32, 32) float32, `label`, `origin`, `family`, `copy` (0: as it is), `fold`."""

    ranks: npt.NDArray[np.float32]
    label: npt.NDArray[np.int64]
    origin: npt.NDArray[np.str_]
    family: npt.NDArray[np.str_]
    copy: npt.NDArray[np.int64]
    fold: npt.NDArray[np.int64]


def examples(data: Path, *, seed: int = 1) -> Examples:
    """All of them, the same for the same seed; `data` is the folder of real pictures."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[Sample, int]] = []

    def add(samples: list[Sample], copies: int) -> None:
        for sample in samples:
            rows.append((sample, 0))
            for n in range(copies):
                rows.append((Sample(sample.origin, sample.family, varied(sample.picture, rng)), n + 1))

    chests = frontal_chests(data)
    add(chests, 12)
    add([Sample(f"phantom {n}", "phantom", reduced(render(256, seed=n).radiograph)) for n in range(5)], 6)
    add(drawn_chests(30, seed), 2)
    add(ct_views(data / "ct" / "lidc_idri_0314.npz", each=40, seed=seed), 3)
    add([part for chest in chests for part in misplaced(chest, rng)], 1)
    add(drawn_things(60, seed), 1)
    inverted = [Sample(one.origin, one.family, -one.picture) for one in drawn_things(15, seed + 1)]
    add([one for one in inverted if one.family not in LATERAL_FAMILIES], 0)
    add(other_things(data), 10)
    return _coarse(rows)


def _coarse(rows: list[tuple[Sample, int]]) -> Examples:
    seen = [(coarse, sample, copy) for sample, copy in rows if (coarse := coarse_image(sample.picture)) is not None]
    samples = [sample for _, sample, _ in seen]
    return Examples(
        ranks=np.array([coarse.ranks for coarse, _, _ in seen], np.float32),
        label=np.array([_label(sample.family) for sample in samples]),
        origin=np.array([sample.origin for sample in samples]),
        family=np.array([sample.family for sample in samples]),
        copy=np.array([copy for _, _, copy in seen]),
        fold=_folds(samples),
    )


def _label(family: str) -> int:
    return FRONTAL if family in FRONTAL_FAMILIES else LATERAL if family in LATERAL_FAMILIES else OTHER


def _folds(samples: list[Sample]) -> npt.NDArray[np.int64]:
    families = sorted({sample.family for sample in samples} - OF_A_REAL_PATIENT)
    return np.array(
        [
            zlib.crc32(sample.origin.encode()) % FOLDS
            if sample.family in OF_A_REAL_PATIENT
            else families.index(sample.family) % FOLDS
            for sample in samples
        ]
    )

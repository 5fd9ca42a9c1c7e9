"""The pipeline: one DICOM data set in, its soft-tissue data set out. Pure: no clock, no records, no I/O.

    stored values -> display -> model pixels -> bone residual -> native residual -> stored values -> derived data set

The bone residual is subtracted at the source's own resolution and bit depth, so every detail that is not bone survives
(soft(native) = source(native) - upsample(B), B = D(E(cxr)) - D(z_soft)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from dicom_node.derived import DerivedPolicy, Provenance, derive
from dicom_node.pixels import SourceImage, read_source, write_back
from models.preprocess import from_model, to_model
from models.suppressor import ModelIdentity, Suppressor
from worker.errors import ResultRejectedError

OnStep = Callable[[int, int], None]


@dataclass(frozen=True)
class SoftTissue:
    """A finished result.

    derived: the data set to store and deliver. source, residual: (H, W) float32 in display units (0..1 across the
    source's window, bright = dense), on the source's grid: what was there and what was taken away. notes: codes of what
    the source's header made necessary, such as NO_VOI, for the log. made_by: the model that ran.
    """

    derived: Dataset
    source: NDArray[np.float32]
    residual: NDArray[np.float32]
    notes: tuple[str, ...]
    made_by: ModelIdentity


def suppress(
    dataset: Dataset,
    suppressor: Suppressor,
    policy: DerivedPolicy,
    *,
    service_version: str,
    seed: int,
    now: datetime,
    on_step: OnStep,
) -> SoftTissue:
    """The soft-tissue companion of `dataset`, a CR or DX radiograph with its pixels.

    `on_step(step, total)` is called after each network evaluation; what it raises ends the run.
    Raises dicom_node's PixelError when the pixels cannot be read, ResultRejectedError when the network's output is not
    an image.
    """
    source = read_source(dataset)
    model_pixels, placement = to_model(source.display, suppressor.image_size)
    model_residual = suppressor.bone_residual(model_pixels, seeds=[seed], on_step=on_step)
    residual = _shown(from_model(model_residual, placement), source)
    stored = write_back(source, residual)
    identity = suppressor.identity
    derived = derive(dataset, stored, provenance_of(identity, seed, service_version), policy, now)
    return SoftTissue(derived, source=source.display, residual=residual, notes=source.notes, made_by=identity)


def provenance_of(identity: ModelIdentity, seed: int, service_version: str) -> Provenance:
    """What the derived object says about how it was made."""
    return Provenance(
        model_name=identity.name,
        model_version=identity.version,
        model_sha256=identity.sha256,
        architecture=identity.architecture,
        sampler=identity.sampler,
        steps=identity.steps,
        seed=seed,
        precision=identity.precision,
        device=identity.device,
        service_version=service_version,
    )


def _shown(residual: NDArray[np.float32], source: SourceImage) -> NDArray[np.float32]:
    """The residual as it may be applied: finite, within one display range, and zero where nothing may change."""
    if not np.isfinite(residual).all():
        raise ResultRejectedError("expected a finite bone residual from the model, found NaN or infinity")
    largest = float(np.abs(residual).max(initial=0.0))
    if largest > 1.0:
        raise ResultRejectedError(f"expected a bone residual within one display range, found {largest:.2f} of it")
    return np.where(source.alterable, residual, np.float32(0.0))

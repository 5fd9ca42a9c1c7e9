"""The pipeline: one DICOM data set in, its soft-tissue data set out. Pure: no clock, no records, no I/O.

    stored values -> display -> model pixels -> bone residual -> native residual -> stored values -> derived data sets

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
from torch import Tensor

from dicom_node.derived import DerivedPolicy, Provenance
from dicom_node.derived_images import SOFT_TISSUE, DerivedImage, derive_images
from dicom_node.image_gate import ImageGate
from dicom_node.pixels import SourceImage, read_source, write_back
from models.lines import kept as lines
from models.preprocess import from_model, to_model
from models.spared import spared
from models.spread import SeededResidual, seeded_residual, seeds_of
from models.suppressor import ModelIdentity, SamplingSuppressor, Suppressor
from worker.errors import ResultRejectedError

OnStep = Callable[[int, int], None]


@dataclass(frozen=True)
class Watcher:
    """Who wants to see a sample come into being."""

    on_soft_tissue: Callable[[int, NDArray[np.float32]], None]
    """Called as (t, image): the soft tissue as the model thinks of it at timestep t, (S, S) float32 in display units,
    as the network sees it: square and at its size."""
    frames: int
    """How often, evenly over the run."""


@dataclass(frozen=True)
class SoftTissue:
    """A finished result.

    images: the data sets to store and deliver, the soft tissue first. source, residual: (H, W) float32 in display units
    (0..1 across the source's window, bright = dense), on the source's grid: what was there and what was taken away.
    notes: codes of what the source's header made necessary or its picture shows, such as NO_VOI. made_by: the model
    that ran; provenance: all that decides the pixels. alterable: (H, W) bool, False for padding and outside the display
    shutter. spread: (H, W) float32, display units: the residual's standard deviation over the seeds; None where one
    seed ran. seeds: how many the result is the mean of.
    """

    images: tuple[DerivedImage, ...]
    source: NDArray[np.float32]
    residual: NDArray[np.float32]
    notes: tuple[str, ...]
    made_by: ModelIdentity
    provenance: Provenance
    alterable: NDArray[np.bool_]
    spread: NDArray[np.float32] | None = None
    seeds: int = 1

    @property
    def derived(self) -> Dataset:
        """The soft-tissue data set."""
        return self.images[0].dataset


def suppress(
    dataset: Dataset,
    suppressor: Suppressor,
    policy: DerivedPolicy,
    *,
    service_version: str,
    seed: int,
    now: datetime,
    on_step: OnStep,
    spread_seeds: int = 1,
    watcher: Watcher | None = None,
    wanted: frozenset[str] = frozenset({SOFT_TISSUE}),
    compression: str = "none",
    gate: ImageGate | None = None,
) -> SoftTissue:
    """The soft-tissue companion of `dataset`, a CR or DX radiograph with its pixels.

    `spread_seeds`: how many seeds from `seed` on, whose mean is the result (`models.spread.seeds_of`). `watcher` sees a
    sampling model's estimates under `seed`, which is then the only one; a one-pass model has none to show.
    `wanted`, `compression`: which images are made and how they are encoded (`dicom_node.derived_images`).
    `gate`: what the header left to the picture, which is then looked at before anything is computed; None looks at
    nothing but its polarity.
    `on_step(step, total)` is called after each network evaluation; what it raises ends the run.
    Raises dicom_node's PixelError when the pixels cannot be read, its ImageRefused when `gate` refuses the picture,
    ResultRejectedError when the network's output is not an image.
    """
    source = read_source(dataset, check_polarity=gate is None)
    notes = source.notes if gate is None else (*source.notes, *gate.require_processable(source))
    model_pixels, placement = to_model(source.display, suppressor.image_size)
    identity = suppressor.identity
    seeds = seeds_of(identity, seed, 1 if watcher is not None else spread_seeds)
    if watcher is not None and isinstance(suppressor, SamplingSuppressor):
        found = _watched(suppressor, model_pixels, seed, on_step, watcher)
    else:
        found = seeded_residual(suppressor, model_pixels, seeds, on_step)
    residual = _shown(spared(from_model(found.mean, placement), source.display, identity.architecture), source)
    stored = write_back(source, residual)
    provenance = provenance_of(identity, seed, service_version, len(seeds))
    spread = None
    if found.spread is not None:
        # Bicubic enlargement swings below zero beside sharp edges; a deviation does not.
        spread = np.where(source.alterable, from_model(found.spread, placement).clip(0.0), np.float32(0.0))
    images = derive_images(dataset, source, stored, spread, provenance, policy, wanted, compression, now)
    notes = (*notes, *(note for image in images for note in image.notes))
    return SoftTissue(
        images=images,
        source=source.display,
        residual=residual,
        notes=notes,
        made_by=identity,
        provenance=provenance,
        alterable=source.alterable,
        spread=spread,
        seeds=len(seeds),
    )


def provenance_of(identity: ModelIdentity, seed: int, service_version: str, seeds: int = 1) -> Provenance:
    """What the derived object says about how it was made; `seeds`: how many, from `seed` on, the mean is over."""
    parameters = [f"seeds={seeds}"] if seeds > 1 else []
    if lines.keeps_lines(identity.architecture):
        parameters.append(f"lines={lines.NAMED}")
    return Provenance(
        model_name=identity.name,
        model_version=identity.version,
        model_sha256=identity.sha256,
        architecture=identity.architecture,
        sampler=identity.sampler,
        steps=identity.steps,
        seed=seed,
        parameters=" ".join(parameters),
        precision=identity.precision,
        device=identity.device,
        service_version=service_version,
    )


def _watched(
    suppressor: SamplingSuppressor, model_pixels: Tensor, seed: int, on_step: OnStep, watcher: Watcher
) -> SeededResidual:
    def on_estimate(t: int, residual: Tensor) -> None:
        watcher.on_soft_tissue(t, ((model_pixels - residual + 1) / 2)[0, 0].numpy())

    residual = suppressor.traced_residual(
        model_pixels, seeds=[seed], on_step=on_step, on_estimate=on_estimate, frames=watcher.frames
    )
    return SeededResidual(residual, None)


def _shown(residual: NDArray[np.float32], source: SourceImage) -> NDArray[np.float32]:
    """The residual as it may be applied: finite, within one display range, and zero where nothing may change."""
    if not np.isfinite(residual).all():
        raise ResultRejectedError("expected a finite bone residual from the model, found NaN or infinity")
    largest = float(np.abs(residual).max(initial=0.0))
    if largest > 1.0:
        raise ResultRejectedError(f"expected a bone residual within one display range, found {largest:.2f} of it")
    return np.where(source.alterable, residual, np.float32(0.0))

"""The golden self-check: a recorded input run through a loaded model and compared with the recorded result.

A worker runs it before it takes work: wrong weights, a broken build of torch or a failing device show here and not in a
patient's image. The record lies beside the weights as `golden.safetensors` (float16), named by the manifest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.checkpoint import load_tensors, save_tensors
from models.errors import WeightsError, WeightsFault
from models.library import load_manifest
from models.manifest import GoldenRecord, Manifest, write_manifest
from models.suppressor import Suppressor, check_radiographs

FILE_NAME = "golden.safetensors"
SEED = 0
TOLERANCES = {"float32": 0.02, "bfloat16": 0.10}
"""Largest relative deviation allowed: between CPUs a code index may flip; bfloat16 rounds all."""


@dataclass(frozen=True)
class GoldenCheck:
    """What the self-check found."""

    model: str
    deviation: float
    """Root mean square of (found − recorded), relative to that of the recorded residual."""
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether the model may work."""
        return self.deviation <= self.tolerance


def verify(suppressor: Suppressor, manifest: Manifest) -> GoldenCheck | None:
    """Runs the recorded input of a loaded model; None when its manifest records none (weights imported just now).

    A suppressor set to another sampler or number of steps than the record's is not comparable: then one that is set
    like the record is loaded for the check. Raises WeightsError when the record is missing or altered.
    """
    record = manifest.golden
    if record is None:
        return None
    recorded = load_tensors(manifest.folder / record.file, record.sha256)
    if not {"cxr", "residual"} <= set(recorded):
        raise WeightsError(WeightsFault.FOREIGN, f"{record.file}: expected tensors cxr and residual")
    plan = manifest.preset(record.preset, record.steps)
    if (suppressor.identity.sampler, suppressor.identity.steps) != (plan.sampler, plan.steps):
        device = suppressor.identity.device.partition(" ")[0]
        suppressor = load_manifest(manifest, record.preset, record.steps, device, unproven=True)
    found = suppressor.bone_residual(recorded["cxr"], seeds=[SEED], on_step=_ignore_step)
    tolerance = TOLERANCES[suppressor.identity.precision]
    return GoldenCheck(manifest.name, relative_deviation(found, recorded["residual"]), tolerance)


def record_golden(manifest: Manifest, cxr: Tensor, preset: str = "fast", steps: int = 0) -> Manifest:
    """Runs `cxr`, (1, 1, S, S) float32 in [-1, 1], on the CPU, writes the record and the manifest that names it.

    Returns that manifest. The model's digest does not change by it.
    """
    suppressor = load_manifest(manifest, preset, steps, "cpu", unproven=True)
    check_radiographs(cxr, [SEED], suppressor.image_size)
    stored = cxr.to(torch.float16)  # what the file holds is what is run
    residual = suppressor.bone_residual(stored.float(), seeds=[SEED], on_step=_ignore_step)
    sha256 = save_tensors({"cxr": stored, "residual": residual}, manifest.folder / FILE_NAME)
    with_record = replace(manifest, golden=GoldenRecord(FILE_NAME, sha256, preset, suppressor.identity.steps))
    write_manifest(with_record)
    return with_record


def relative_deviation(found: Tensor, expected: Tensor) -> float:
    """RMS(found − expected) / RMS(expected); infinite where shapes differ."""
    if found.shape != expected.shape:
        return float("inf")
    scale = expected.square().mean().sqrt().clamp_min(1e-3)  # of a residual that is all but empty
    return float((found - expected).square().mean().sqrt() / scale)


def _ignore_step(_step: int, _total: int) -> None:
    """The self-check has no deadline of its own."""

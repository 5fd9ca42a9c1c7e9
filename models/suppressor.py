"""The one interface between a bone-suppression method and whoever runs it (the worker, the file-to-file command)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from models.errors import DeviceError, OutputError
from models.manifest import Manifest, Preset
from models.samplers import OnEstimate, OnStep


@dataclass(frozen=True)
class ModelIdentity:
    """What made a result; goes into the provenance of every derived object."""

    name: str
    version: str
    architecture: str
    """`bs-ldm`, `bs-diff`, `residual-unet`, …"""
    sha256: str
    """Digest over the manifest's configuration and the digests of its files."""
    sampler: str
    """As the preset says: `ddpm`, `dpm-solver++2m`, `one-pass`, …"""
    steps: int
    """Network evaluations per image."""
    precision: str
    """`float32` or `bfloat16`: of the heavy networks; encoder, quantiser and solver are always float32."""
    device: str
    """`cpu`, or `cuda` with the card's name."""


class Suppressor(Protocol):
    """A loaded model on its device. Not thread-safe: one owner thread calls it."""

    @property
    def identity(self) -> ModelIdentity:
        """What this is."""
        ...

    @property
    def image_size(self) -> int:
        """Side S of the square image that the network sees, pixels."""
        ...

    def bone_residual(self, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep) -> Tensor:
        """The bone's share of each radiograph.

        `cxr`: (N, 1, S, S) float32, [-1, 1], bone bright, on any device; `seeds`: N of them. Returns (N, 1, S, S)
        float32 on the CPU in the same unit, so that cxr − residual is the soft-tissue image; the display residual in
        [0, 1] is half of it. Image i depends on cxr[i] and seeds[i] alone, whatever shares its batch (to the last bits,
        which a device may sum in another order); alone, the same seed gives the same bits on the same device.
        `on_step(step, total)` follows every network evaluation of the whole batch and may raise (a deadline); what it
        raises propagates. Raises OutputError for another input or a result that is not finite.
        """
        ...


@runtime_checkable
class SamplingSuppressor(Suppressor, Protocol):
    """A model that comes to its result in several steps, which can be watched."""

    def traced_residual(
        self, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep, on_estimate: OnEstimate, frames: int
    ) -> Tensor:
        """As `bone_residual`, with the same result, telling the way there.

        `on_estimate(t, residual)` sees what the residual would be if x̂₀ of timestep t were the result, (N, 1, S, S)
        float32 on the CPU, at `frames` evaluations evenly distributed (all where there are fewer), the last among them.
        """
        ...


def resolve_device(name: str) -> torch.device:
    """`auto` → CUDA when present, else CPU; `cpu`, `cuda[:n]` as they say. Raises DeviceError when it is absent."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(f"device must be auto, cpu or cuda, found {name!r}") from None
    if device.type not in ("cpu", "cuda"):
        raise DeviceError(f"device must be auto, cpu or cuda, found {name!r}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(f"device {name!r} was asked for, but {torch.cuda.device_count()} CUDA devices are present")
    return device


def identify(manifest: Manifest, plan: Preset, precision: str, device: torch.device) -> ModelIdentity:
    """The identity of a model run as `plan` says, on `device`."""
    return ModelIdentity(
        name=manifest.name,
        version=manifest.version,
        architecture=manifest.architecture,
        sha256=manifest.sha256,
        sampler=plan.sampler,
        steps=plan.steps,
        precision=precision,
        device=describe_device(device),
    )


def describe_device(device: torch.device) -> str:
    """`cpu`, or `cuda` with the card's name, for logs and provenance."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


def check_radiographs(cxr: Tensor, seeds: Sequence[int], size: int) -> None:
    """Raises OutputError unless `cxr` is (N, 1, size, size) float32 and finite, N > 0 the number of `seeds`."""
    if cxr.shape != (len(seeds), 1, size, size) or not seeds or cxr.dtype != torch.float32:
        raise OutputError(
            f"expected (N, 1, {size}, {size}) float32 radiographs and a seed for each, found {tuple(cxr.shape)} "
            f"{cxr.dtype} and {len(seeds)} seeds",
            code="MODEL_INPUT_INVALID",
        )
    if not bool(torch.isfinite(cxr).all()):
        raise OutputError("a radiograph holds values that are not finite", code="MODEL_INPUT_INVALID")


def check_residual(residual: Tensor) -> Tensor:
    """The residual as float32 on the CPU; raises OutputError when it holds NaN or infinity."""
    result = residual.detach().to("cpu", torch.float32)
    if not bool(torch.isfinite(result).all()):
        raise OutputError("the network's result holds values that are not finite")
    return result

"""One golden file: recorded inputs and outputs compared with what this implementation makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from models.checkpoint import file_sha256, load_tensors
from models.errors import ConfigError, ModelsError, WeightsError, WeightsFault

NETWORK_TOLERANCE = 1e-4
TRACE_TOLERANCE = 1e-3

Deviations = Mapping[str, float | None]
"""By name of what was compared: the largest absolute deviation, or None where the record does not determine it."""

Compare = Callable[[Path], Deviations]


@dataclass(frozen=True)
class GoldenCase:
    """A golden file and how it is compared."""

    file: str
    tolerance: float
    compare: Compare


@dataclass(frozen=True)
class GoldenFile:
    """What became of one file of the folder."""

    file: str
    deviation: float | None
    """Largest absolute deviation (for names: how many differ); None when the file could not be compared."""
    tolerance: float | None
    ok: bool | None
    """None: not checked by this version."""
    note: str = ""
    """Where the largest deviation is, or why there is none."""


@torch.inference_mode()
def compared(path: Path, case: GoldenCase) -> GoldenFile:
    """The file against its case; a file that is missing, altered or foreign is a result that is not ok."""
    try:
        deviations = case.compare(path)
    except ModelsError as error:
        return GoldenFile(path.name, None, case.tolerance, False, str(error))
    except RuntimeError as error:  # torch's word for tensors whose shapes do not fit the configuration
        reason = str(error).splitlines()[0]
        return GoldenFile(path.name, None, case.tolerance, False, f"does not fit the configuration: {reason}")
    determined = {name: value for name, value in deviations.items() if value is not None}
    if not determined:
        return GoldenFile(path.name, None, case.tolerance, False, "nothing in it can be compared")
    worst = max(determined, key=lambda name: determined[name])
    note = f"largest in {worst}"
    if open_names := [name for name, value in deviations.items() if value is None]:
        note += f"; rounding alone decides {', '.join(open_names)}"
    return GoldenFile(path.name, determined[worst], case.tolerance, determined[worst] <= case.tolerance, note)


def recorded(path: Path, *needed: str) -> dict[str, Tensor]:
    """The file's tensors. Raises WeightsError when it cannot be read or lacks one that is needed."""
    tensors = load_tensors(path, file_sha256(path))
    if absent := [name for name in needed if name not in tensors]:
        raise WeightsError(WeightsFault.MISMATCH, f"{path.name}: tensors missing: {', '.join(absent)}")
    return tensors


def deviation(found: Tensor, expected: Tensor) -> float:
    """Largest absolute difference; infinite where shapes differ or a value is not a number."""
    if found.shape != expected.shape:
        return float("inf")
    largest = float((found - expected).abs().max())
    return largest if largest == largest else float("inf")


def differing_names(path: Path, build: Callable[[], nn.Module]) -> dict[str, float]:
    """How many names or shapes of the full network differ from the recorded ones; allocates no weights."""
    names = read_json(path)
    if not isinstance(names, dict):
        raise ConfigError(f"{path.name}: expected an object of names and shapes")
    with torch.device("meta"):
        found = {name: list(tensor.shape) for name, tensor in build().state_dict().items()}
    return {"names and shapes": float(sum(found.get(n) != names.get(n) for n in {*found, *names}))}


def read_json(path: Path) -> object:
    """Parsed JSON. Raises ConfigError, with code GOLDEN_FILE_MISSING when the file cannot be read."""
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})", code="GOLDEN_FILE_MISSING") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON ({error})") from error
    return value

"""The only module that opens weight files: safetensors, each checked against the SHA-256 that its manifest gives.

On disk weights may be float16; in memory floating-point tensors are float32.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.errors import WeightsError, WeightsFault

SHOWN_NAMES = 3


NetworkT = TypeVar("NetworkT", bound=nn.Module)


def load_network(build: Callable[[], NetworkT], path: Path, sha256: str, device: torch.device) -> NetworkT:
    """The network that `build` makes, with the weights of `path`, in evaluation mode on `device`, without gradients.

    Raises WeightsError: missing file, other digest, not safetensors, other names or shapes.
    """
    return network_from_state(build, load_tensors(path, sha256), path.name).to(device)


def network_from_state(build: Callable[[], NetworkT], state: Mapping[str, Tensor], where: str) -> NetworkT:
    """As `load_network`, from tensors in memory, on the CPU. `where` names them in messages."""
    with torch.device("meta"):  # nothing is allocated twice
        network = build()
    check_shapes({name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}, state, where)
    network.load_state_dict(dict(state), strict=True, assign=True)
    return network.eval().requires_grad_(False)


def check_shapes(expected: Mapping[str, tuple[int, ...]], state: Mapping[str, Tensor], where: str) -> None:
    """Raises WeightsError (WEIGHTS_MISMATCH) unless `state` has exactly the expected names and shapes."""
    faults = []
    if missing := sorted(set(expected) - set(state)):
        faults.append(f"{len(missing)} tensors missing ({_some(missing)})")
    if unknown := sorted(set(state) - set(expected)):
        faults.append(f"{len(unknown)} tensors unexpected ({_some(unknown)})")
    if other := sorted(name for name in set(expected) & set(state) if tuple(state[name].shape) != expected[name]):
        shapes = [f"{name}: expected {expected[name]}, found {tuple(state[name].shape)}" for name in other]
        faults.append(f"{len(other)} tensors of another shape ({_some(shapes)})")
    if faults:
        raise WeightsError(WeightsFault.MISMATCH, f"{where}: {'; '.join(faults)}")


def load_tensors(path: Path, sha256: str) -> dict[str, Tensor]:
    """All tensors of a safetensors file, floating-point ones as float32. Raises WeightsError as `load_network` does."""
    found = file_sha256(path)
    if found != sha256:
        raise WeightsError(
            WeightsFault.ALTERED, f"{path}: expected SHA-256 {sha256}, found {found}; install the weights again"
        )
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(WeightsFault.FOREIGN, f"{path}: not a safetensors file ({error})") from error
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


def save_tensors(tensors: Mapping[str, Tensor], path: Path, dtype: torch.dtype = torch.float16) -> str:
    """Writes a safetensors file and returns its SHA-256. A tensor that `dtype` cannot hold stays as it is."""
    contiguous = {name: _as_stored(tensor.detach().cpu(), dtype) for name, tensor in tensors.items()}
    save_file(contiguous, path)
    path.chmod(0o644)  # weights hold no patient; an import by root must be readable by the service
    return file_sha256(path)


def file_sha256(path: Path) -> str:
    """Lower-case hex digest. Raises WeightsError (WEIGHTS_MISSING) when the file cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(WeightsFault.MISSING, f"{path}: cannot be read ({error.strerror})") from error


def _as_stored(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    if not tensor.is_floating_point():
        return tensor.contiguous()
    stored = tensor.to(dtype)
    overflowed = bool(torch.isfinite(tensor).all()) and not bool(torch.isfinite(stored).all())
    return (tensor if overflowed else stored).contiguous()


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")

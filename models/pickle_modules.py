"""Named tensors out of an inertly read checkpoint: the last step of the safe import.

A module is walked by its `_parameters`, `_buffers` and `_modules`, exactly as `state_dict` would name them. A
checkpoint may be a whole module, a state dict, or a dict that holds either under `model`, `ema` and the like.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.errors import WeightsError, WeightsFault
from models.pickle_import import Archive, Stub, foreign
from models.pickle_tensors import STORAGE_DTYPES, PickledTensor, StorageKey

MAX_DEPTH = 64
MAX_MODULES = 100_000

PlainValue = int | tuple[int, ...]


@dataclass(frozen=True)
class ImportedModule:
    """One network found in a checkpoint."""

    source: str
    """The file's name, for messages."""
    root_class: str
    """Qualified class name of the pickled module; empty for a bare state dict."""
    state: dict[str, Tensor]
    class_names: frozenset[str]
    """Bare names of all classes met in it; they tell what tensor shapes do not (the attention's order)."""
    attributes: dict[str, dict[str, PlainValue]]
    """Whole numbers and tuples of them that each submodule held (`stride`, `num_heads`), by its dotted name."""

    def number(self, module: str, attribute: str, default: int) -> int:
        """A submodule's attribute as one number (the first of a tuple), or `default` where the file does not say."""
        value = self.attributes.get(module, {}).get(attribute, default)
        return value if isinstance(value, int) else value[0]

    def tensor(self, name: str, dimensions: int) -> Tensor:
        """A tensor by name. Raises WeightsError when there is none, or not one of that many dimensions."""
        tensor = self.state.get(name)
        if tensor is None or tensor.dim() != dimensions:
            found = "none" if tensor is None else f"one of shape {tuple(tensor.shape)}"
            raise WeightsError(
                WeightsFault.FOREIGN,
                f"{self.source}: not the network expected here: it should hold a tensor {name} of {dimensions} "
                f"dimensions, found {found}",
            )
        return tensor


def read_modules(path: Path) -> dict[str, ImportedModule]:
    """All networks in a checkpoint: under "" the root where it is one, else under their keys (`model`, `ema`).

    Raises WeightsError when the file is missing, truncated, foreign or holds no network.
    """
    archive = Archive(path)
    root = archive.unpickled()
    reader = _Reader(archive)
    found: dict[str, ImportedModule] = {}
    if (whole := reader.module(root)) is not None:
        found[""] = whole
    elif isinstance(root, dict):
        for key, value in root.items():
            if isinstance(key, str) and (part := reader.module(value)) is not None:
                found[key] = part
    if not found:
        raise foreign(path, "it holds neither a module nor a state dict")
    return found


def read_module(path: Path, key: str = "model") -> ImportedModule:
    """The network in a checkpoint: the root, or the one under `key`. Raises WeightsError as `read_modules` does."""
    found = read_modules(path)
    module = found.get("", found.get(key))
    if module is None:
        raise WeightsError(
            WeightsFault.FOREIGN, f"{path.name}: expected a network under {key!r}, found {', '.join(sorted(found))}"
        )
    return module


class _Reader:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._storages: dict[StorageKey, Tensor] = {}
        self._visited = 0
        # Tied weights repeat a little; a file that repeats a storage thousands of times wants our memory.
        self._bytes_left = 2 * archive.path.stat().st_size

    def module(self, value: object) -> ImportedModule | None:
        """The network that `value` is, or None."""
        name = self._archive.path.name
        if isinstance(value, Stub) and "_modules" in value.state:
            tensors: dict[str, PickledTensor] = {}
            attributes: dict[str, dict[str, PlainValue]] = {}
            classes: set[str] = set()
            # What DataParallel wraps is the network itself.
            inner = _modules(value).get("module") if len(_modules(value)) == 1 else None
            for prefix, stub in self._walk(inner if isinstance(inner, Stub) else value, "", 0):
                classes.add(stub.qualified_name.rpartition(".")[2])
                attributes[prefix.removesuffix(".")] = _plain(stub)
                tensors.update({prefix + key: tensor for key, tensor in _own_tensors(stub)})
            state = {key: self._tensor(tensor) for key, tensor in tensors.items()}
            return ImportedModule(name, value.qualified_name, state, frozenset(classes), attributes)
        if isinstance(value, dict) and value and all(isinstance(item, PickledTensor) for item in value.values()):
            state = {str(key): self._tensor(tensor) for key, tensor in value.items()}
            return ImportedModule(name, "", state, frozenset(), {})
        return None

    def _walk(self, stub: Stub, prefix: str, depth: int) -> Iterator[tuple[str, Stub]]:
        self._visited += 1
        if depth > MAX_DEPTH or self._visited > MAX_MODULES:
            raise foreign(self._archive.path, f"its modules are nested deeper than {MAX_DEPTH} or past all number")
        yield prefix, stub
        for name, child in _modules(stub).items():
            if isinstance(child, Stub):
                yield from self._walk(child, f"{prefix}{name}.", depth + 1)

    def _tensor(self, described: PickledTensor) -> Tensor:
        key = described.storage
        self._bytes_left -= math.prod(described.size) * STORAGE_DTYPES[key.kind].itemsize
        if self._bytes_left < 0:
            raise foreign(self._archive.path, "its tensors are larger than the file that holds them")
        if key not in self._storages:
            content = self._archive.storage(key)
            dtype = STORAGE_DTYPES[key.kind]
            self._storages[key] = torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)
        return self._storages[key].as_strided(described.size, described.stride, described.offset).clone()


def _modules(stub: Stub) -> dict[object, object]:
    children = stub.state.get("_modules")
    return children if isinstance(children, dict) else {}


def _own_tensors(stub: Stub) -> Iterator[tuple[str, PickledTensor]]:
    transient = stub.state.get("_non_persistent_buffers_set")
    for group in ("_parameters", "_buffers"):
        members = stub.state.get(group)
        if not isinstance(members, dict):
            continue
        for name, member in members.items():
            if isinstance(member, PickledTensor) and not (isinstance(transient, set) and name in transient):
                yield str(name), member


def _plain(stub: Stub) -> dict[str, PlainValue]:
    found: dict[str, PlainValue] = {}
    for name, value in stub.state.items():
        if isinstance(value, int) and not isinstance(value, bool):
            found[name] = value
        elif isinstance(value, tuple) and value and all(isinstance(item, int) for item in value):
            found[name] = tuple(int(item) for item in value)
    return found

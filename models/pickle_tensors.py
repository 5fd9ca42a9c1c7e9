"""Tensors as a pickle describes them, checked against the storages they point into: for `pickle_import`.

Nothing here reads a storage; a description that would reach outside its own is refused before anyone does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

STORAGE_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
MAX_DIMENSIONS = 8


@dataclass(frozen=True)
class StorageKey:
    """A storage that the pickle names: its class, its file in the archive, its length in elements."""

    kind: str
    name: str
    elements: int

    def __setstate__(self, _state: object) -> None:
        raise ValueError("a storage's description cannot be altered")


@dataclass(frozen=True)
class PickledTensor:
    """A tensor that the pickle describes; holds no memory."""

    storage: StorageKey
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def __setstate__(self, _state: object) -> None:
        raise ValueError("a tensor's description cannot be altered")

    @classmethod
    def rebuild(cls, storage: object, offset: object, size: object, stride: object, *_rest: object) -> PickledTensor:
        """In the place of `torch._utils._rebuild_tensor_v2`; raises ValueError for what lies outside the storage."""
        if not isinstance(storage, StorageKey):
            raise ValueError("a tensor without a storage")
        sizes, strides = _whole(size), _whole(stride)
        (start,) = _whole((offset,))
        if len(sizes) != len(strides) or len(sizes) > MAX_DIMENSIONS:
            raise ValueError(f"a tensor of size {sizes} and stride {strides}")
        count = math.prod(sizes)
        last = start + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
        # Overlapping (expanded) tensors could claim any amount of memory from a small file.
        if count > storage.elements or (count > 0 and last >= storage.elements):
            raise ValueError(f"a tensor of size {sizes} reaches beyond its storage of {storage.elements} elements")
        return cls(storage, start, sizes, strides)


def _whole(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple | list):
        raise ValueError("a size or stride that is not a list of numbers")
    numbers = tuple(value for value in values if isinstance(value, int) and not isinstance(value, bool) and value >= 0)
    if len(numbers) != len(values):
        raise ValueError("a size, stride or offset that is not a whole number of 0 or more")
    return numbers

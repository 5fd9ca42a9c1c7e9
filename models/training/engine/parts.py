"""Batches on the device and in parts: frozen dataclasses of tensors with the images along their first dimension."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar, cast

import torch
from torch import Tensor

BatchT = TypeVar("BatchT")


def in_parts(batch: BatchT, size: int) -> Iterator[tuple[BatchT, float]]:
    """The batch in parts of at most `size` images, each with its share of the images; 0: in one piece."""
    count = images_in(batch)
    if size < 1 or size >= count:
        yield batch, 1.0
        return
    for start in range(0, count, size):
        chosen = slice(start, min(start + size, count))
        yield (
            _with_tensors(batch, {name: tensor[chosen] for name, tensor in _tensors(batch).items()}),
            (chosen.stop - start) / count,
        )


def on_device(batch: BatchT, device: torch.device) -> BatchT:
    """The batch with its tensors on `device`."""
    if device.type == "cpu":
        return batch
    moved = {name: tensor.pin_memory().to(device, non_blocking=True) for name, tensor in _tensors(batch).items()}
    return _with_tensors(batch, moved)


def images_in(batch: object) -> int:
    """How many images a batch holds; 1 when it holds no tensors. Raises ValueError when its tensors disagree."""
    sizes = {tensor.shape[0] for tensor in _tensors(batch).values()}
    if len(sizes) > 1:
        raise ValueError(f"expected tensors with the images along dimension 0, found sizes {sorted(sizes)}")
    return sizes.pop() if sizes else 1


def _tensors(batch: object) -> dict[str, Tensor]:
    if not is_dataclass(batch):
        return {}
    found: dict[str, Tensor] = {}
    for item in fields(batch):
        value: object = getattr(batch, item.name)
        if isinstance(value, Tensor):
            found[item.name] = value
    return found


def _with_tensors(batch: BatchT, tensors: dict[str, Tensor]) -> BatchT:
    if not is_dataclass(batch) or isinstance(batch, type):
        return batch
    return cast(BatchT, replace(batch, **tensors))

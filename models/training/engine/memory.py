"""What is done when a batch does not fit: half the micro-batch, once; then the training ends with a reason."""

from __future__ import annotations

import torch

ALLOCATION_FAILED = ("DefaultCPUAllocator", "can't allocate memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed, on the GPU or on the CPU (where torch raises a plain RuntimeError)."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in ALLOCATION_FAILED)


def release(device: torch.device) -> None:
    """Give what the failed attempt held back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()

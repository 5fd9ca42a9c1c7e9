"""Running out of memory: how torch says so, and what can be given back before another try."""

from __future__ import annotations

import gc

import torch

_SENTENCES = (
    "can't allocate memory",  # the CPU allocator: "DefaultCPUAllocator: can't allocate memory: you tried to …"
    "not enough memory",  # the same on other platforms
    "out of memory",  # the CUDA driver, past torch's own allocator
    "_STATUS_ALLOC_FAILED",  # cuBLAS and cuDNN
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that the device, or the machine, has no memory left; torch has several ways to say so."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sentence in str(error) for sentence in _SENTENCES)


def free_cached_memory() -> None:
    """Give back what nobody uses any more: unreachable tensors, and the blocks that torch keeps for itself."""
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()

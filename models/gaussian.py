"""Gaussian blur of image tensors, the one low-pass filter of the metrics, the losses and the residual targets."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def gaussian_blur(image: Tensor, sigma: float) -> Tensor:
    """Blur `image`, (N, C, H, W), with a Gaussian of `sigma` pixels.

    The kernel ends at 4 sigma, or at the image's side less one pixel where that is nearer; edges are mirrored.
    """
    rows, columns = _operator(image.shape[2], sigma, image.dtype), _operator(image.shape[3], sigma, image.dtype)
    return rows.to(image.device) @ image @ columns.to(image.device).T


def high_pass(image: Tensor, sigma: float) -> Tensor:
    """`image`, (N, C, H, W), minus its blur of `sigma` pixels."""
    return image - gaussian_blur(image, sigma)


@lru_cache(maxsize=32)
def _operator(side: int, sigma: float, dtype: torch.dtype) -> Tensor:
    """The blur along one axis as a (side, side) matrix: at these widths much faster than a convolution."""
    reach = min(int(4 * sigma + 0.5), side - 1)
    offsets = torch.arange(-reach, reach + 1)
    kernel = torch.exp(-0.5 * (offsets.double() / sigma) ** 2)
    source = (torch.arange(side)[:, None] + offsets[None]).abs()
    source = torch.where(source >= side, 2 * (side - 1) - source, source)
    matrix = torch.zeros(side, side, dtype=torch.float64)
    matrix.scatter_add_(1, source, (kernel / kernel.sum()).expand(side, -1))
    return matrix.to(dtype)

"""Multi-scale structural similarity (Wang, Simoncelli & Bovik 2003), differentiable, for losses.

MS-SSIM = l_M · Π_j cs_j^β_j with an 11 x 11 Gaussian window of σ = 1.5 (eq. 7); K1 = 0.01, K2 = 0.03. As published the
images are halved by 2 x 2 means between scales and α_M = β_M.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, WINDOW_SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
FLOOR = 1e-4
"""Negative structure counts as this little: below zero a power is not defined, at zero its slope is infinite."""


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """(N,) float32, at most 1, 1 for equal images. `a`, `b`: (N, C, H, W), [-1, 1], compared as [0, 1].

    Small images have fewer than five scales: those whose side still holds the window, their weights scaled to sum 1.
    Raises ValueError for images smaller than the window or of different shapes.
    """
    if a.shape != b.shape or a.ndim != 4 or min(a.shape[2:]) < WINDOW:
        raise ValueError(
            f"expected two equal shapes (N, C, H, W) of {WINDOW} px or more, found {tuple(a.shape)} {tuple(b.shape)}"
        )
    with torch.autocast(a.device.type, enabled=False):  # variances are differences of near-equal numbers
        return _ms_ssim((a.float() + 1) / 2, (b.float() + 1) / 2)


def ms_ssim_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """1 − MS-SSIM, mean over the batch: a scalar, 0 for equal images."""
    return 1 - ms_ssim(prediction, truth).mean()


def _ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    weights = scale_weights(min(a.shape[2:]))
    score = torch.ones(a.shape[0], device=a.device)
    for scale, weight in enumerate(weights):
        luminance, structure = _similarity(a, b)
        factor = structure * luminance if scale + 1 == len(weights) else structure
        score = score * factor.mean((1, 2, 3)).clamp_min(FLOOR) ** weight
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return score


def scale_weights(side: int) -> tuple[float, ...]:
    """The exponents of the scales that an image of this shorter side, px, has room for; their sum is 1."""
    room = [weight for scale, weight in enumerate(SCALE_WEIGHTS) if side >> scale >= WINDOW]
    return tuple(weight / sum(room) for weight in room)


def _similarity(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance and contrast-structure where the window lies inside the image, (N, C, H − 10, W − 10) each."""
    c1, c2 = K1**2, K2**2  # of a range of 1
    mean_a, mean_b, square_a, square_b, product = (_windowed(image) for image in (a, b, a.square(), b.square(), a * b))
    variances = (square_a - mean_a.square()) + (square_b - mean_b.square())
    covariance = product - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + c1) / (mean_a.square() + mean_b.square() + c1)
    return luminance, (2 * covariance + c2) / (variances + c2)


def _windowed(image: Tensor) -> Tensor:
    n, c, height, width = image.shape
    offsets = torch.arange(WINDOW, device=image.device) - WINDOW // 2
    kernel = torch.exp(-0.5 * (offsets / WINDOW_SIGMA) ** 2)
    kernel = kernel / kernel.sum()
    flat = image.reshape(n * c, 1, height, width)
    flat = F.conv2d(F.conv2d(flat, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
    return flat.reshape(n, c, *flat.shape[2:])

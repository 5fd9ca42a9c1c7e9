"""The figures that papers on bone suppression quote, as their code computes them, each with its flaw named.

Images are (H, W) float, [0, 1]. Papers score 8-bit PNG of 1024 x 1024; `published` rounds to 8 bits first. Tone is not
fitted: a result in the radiograph's own tone is marked down for it. What is honest stands in `models.metrics.honest`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from models.metrics.lpips import Lpips
from models.metrics.tone import Image

SSIM_WINDOW = 7
SSIM_K1, SSIM_K2 = 0.01, 0.03
PEAK = 255.0


@dataclass(frozen=True)
class Published:
    """One image's figures. The two LPIPS are `None` where no weights were supplied."""

    bsr: float
    mse: float
    psnr_db: float
    psnr_wrapped_db: float
    ssim: float
    lpips_as_published: float | None
    lpips: float | None


def published(predicted: Image, cxr: Image, truth: Image, lpips: Lpips | None = None) -> Published:
    """All of them for `predicted`, a soft-tissue image made from `cxr`, against `truth`."""
    seen, radiograph, true = eight_bit(predicted), eight_bit(cxr), eight_bit(truth)
    p, x, y = (stored / PEAK for stored in (seen, radiograph, true))
    return Published(
        bsr=bone_suppression_ratio(p, x, y),
        mse=mean_squared_error(p, y),
        psnr_db=psnr(p, y),
        psnr_wrapped_db=psnr_wrapped(seen, true),
        ssim=structural_similarity(p, y),
        lpips_as_published=None if lpips is None else lpips_zero_to_one(p, y, lpips),
        lpips=None if lpips is None else lpips_distance(p, y, lpips),
    )


def bone_suppression_ratio(predicted: Image, cxr: Image, truth: Image) -> float:
    """BSR = 1 - sum relu(y - p')^2 / sum (cxr - y)^2, with p' = p + mean(y - p).

    Flaw: only what is too dark counts. Bone that is still there is brighter than the truth and costs nothing but its
    share of the mean: returning the radiograph unchanged scores 0.66-0.89. Not a number where there is no bone.
    """
    bone = float(np.sum((cxr - truth) ** 2))
    brought = predicted + np.mean(truth - predicted)
    too_dark = float(np.sum(np.maximum(truth - brought, 0) ** 2))
    return 1 - too_dark / bone if bone > 0 else float("nan")


def mean_squared_error(predicted: Image, truth: Image) -> float:
    """Mean (p - y)^2. Flaw: it is mostly tone, which a scanner sets and a window undoes, and says little of bone."""
    return float(np.mean((np.asarray(predicted, np.float64) - truth) ** 2))


def psnr(predicted: Image, truth: Image) -> float:
    """-10 log10 MSE, peak 1, in floating point; infinity for an exact match. Flaw: that of MSE, tone counts."""
    error = mean_squared_error(predicted, truth)
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def psnr_wrapped(predicted: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """The PSNR of the published code: 8-bit images are subtracted and squared as 8-bit numbers.

    Flaw: (p - y)^2 is kept modulo 256, so that an error of 16 counts as none and no mean passes 255: it never reads
    below 10 log10 255 = 24.07 dB, and doing nothing, truly 20-24 dB, reads 28-29.
    """
    difference = predicted - truth  # modulo 256, as uint8 has it
    error = float(np.mean(difference * difference))
    return float("inf") if error == 0 else 10 * float(np.log10(PEAK**2 / error))


def structural_similarity(predicted: Image, truth: Image) -> float:
    """Mean SSIM over all whole 7 x 7 windows, uniform weights, data range 1, sample covariance (Wang et al. 2004).

    Flaw: at 1024 px a window of 7 is finer than a rib's edge; noise and tone weigh more than bone.
    """
    x, y = (torch.from_numpy(np.array(image, np.float64))[None, None] for image in (predicted, truth))
    count = SSIM_WINDOW**2
    if min(x.shape[2:]) < SSIM_WINDOW:
        raise ValueError(f"expected images of at least {SSIM_WINDOW} x {SSIM_WINDOW} px, found {tuple(x.shape[2:])}")
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = (
        F.avg_pool2d(image, SSIM_WINDOW, 1) for image in (x, y, x * x, y * y, x * y)
    )
    to_sample = count / (count - 1)
    var_x, var_y = to_sample * (mean_xx - mean_x**2), to_sample * (mean_yy - mean_y**2)
    covariance = to_sample * (mean_xy - mean_x * mean_y)
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float((similarity / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


def lpips_zero_to_one(predicted: Image, truth: Image, network: Lpips) -> float:
    """LPIPS as published. Flaw: the network expects [-1, 1] and was given [0, 1], half of the contrast it was made for,
    so that distances come out too small."""
    return _distance(predicted, truth, network)


def lpips_distance(predicted: Image, truth: Image, network: Lpips) -> float:
    """LPIPS on [-1, 1], as its authors define it. Flaw: it learnt from photographs, where ribs are texture."""
    return _distance(2 * predicted - 1, 2 * truth - 1, network)


def eight_bit(image: Image) -> NDArray[np.uint8]:
    """[0, 1] as the nearest of 256 levels, clipped."""
    return np.rint(np.clip(np.asarray(image, np.float64), 0, 1) * PEAK).astype(np.uint8)


def _distance(a: Image, b: Image, network: Lpips) -> float:
    planes = (torch.from_numpy(np.array(image, np.float32))[None, None] for image in (a, b))
    with torch.inference_mode():
        return float(network(*planes))

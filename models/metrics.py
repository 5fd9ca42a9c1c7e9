"""How well a soft-tissue image matches a dual-energy truth, whatever the tone: for training, benchmarks and the bar.

All images are (H, W) float, [0, 1], bone bright, and 1024 x 1024 where figures are quoted: filter widths are in px.
With fit(p) the least-squares affine of p onto the truth y, hp_s an image minus its Gaussian blur of s px, and
b = hp_24(fit(cxr) - y) the bone that was there:

- tone-fitted PSNR = -10 log10 mean (fit(p) - y)^2, dB;
- bone left = sum r b / sum b^2, r = hp_24(fit(p) - y), over the 30 % of pixels with the largest |b|;
- detail kept = slope of hp_6(fit(p)) on hp_6(y) over the 50 % of pixels with the smallest |b|.

Doing nothing scores about 26-28 dB, 1.0 and 0.95-0.99; returning the truth scores infinity, 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.gaussian import high_pass

Image = NDArray[np.floating]

BONE_SIGMA = 24.0
DETAIL_SIGMA = 6.0
BONE_SHARE = 0.30
DETAIL_SHARE = 0.50


@dataclass(frozen=True)
class Scores:
    """The three figures of one image."""

    psnr_db: float
    bone_left: float
    detail_kept: float


def score(predicted: Image, cxr: Image, truth: Image) -> Scores:
    """All three figures of `predicted`, a soft-tissue image made from `cxr`, against `truth`."""
    return Scores(
        tone_fitted_psnr(predicted, truth), bone_left(predicted, cxr, truth), detail_kept(predicted, cxr, truth)
    )


def tone_fitted_psnr(predicted: Image, truth: Image) -> float:
    """Peak signal-to-noise ratio in dB, peak 1, after the affine tone fit; infinity for an exact match."""
    error = float(np.mean((fit(predicted, truth) - np.asarray(truth, np.float64)) ** 2))
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def bone_left(predicted: Image, cxr: Image, truth: Image) -> float:
    """Share of the radiograph's bone that the predicted image still shows: 1 nothing removed, 0 all, < 0 too much."""
    bone = _high_passed(fit(cxr, truth) - truth, BONE_SIGMA)
    left = _high_passed(fit(predicted, truth) - truth, BONE_SIGMA)
    there = np.abs(bone) >= np.quantile(np.abs(bone), 1 - BONE_SHARE)
    return float(np.sum(left[there] * bone[there]) / np.sum(bone[there] ** 2))


def detail_kept(predicted: Image, cxr: Image, truth: Image) -> float:
    """Share of the truth's fine detail (vessels, fissures) that the predicted image shows where there is no bone."""
    bone = np.abs(_high_passed(fit(cxr, truth) - truth, BONE_SIGMA))
    free = bone <= np.quantile(bone, DETAIL_SHARE)
    shown = _high_passed(fit(predicted, truth), DETAIL_SIGMA)[free]
    true = _high_passed(np.asarray(truth, np.float64), DETAIL_SIGMA)[free]
    return float(np.cov(shown, true)[0, 1] / np.var(true, ddof=1))


def fit(image: Image, truth: Image) -> NDArray[np.float64]:
    """`image` after the affine change of tone that brings it closest to `truth` in the least-squares sense."""
    x, y = np.asarray(image, np.float64), np.asarray(truth, np.float64)
    if x.shape != y.shape or x.ndim != 2:
        raise ValueError(f"expected two (H, W) images of one size, found {x.shape} and {y.shape}")
    centred = x - x.mean()
    spread = float(np.mean(centred**2))
    gain = float(np.mean(centred * (y - y.mean()))) / spread if spread > 0 else 0.0
    fitted: NDArray[np.float64] = gain * centred + y.mean()
    return fitted


def _high_passed(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    plane: Tensor = torch.from_numpy(np.ascontiguousarray(image, np.float64))[None, None]
    return np.asarray(high_pass(plane, sigma)[0, 0].numpy(), np.float64)

"""What is left of bone and of everything else, whatever the tone: for training, benchmarks and every bar.

All images are (H, W) float, [0, 1], bone bright, and 1024 px on the longer side where figures are quoted: filter widths
are in px. With fit(p) the least-squares affine of p onto the truth y, hp_s an image minus its Gaussian blur of s px,
and b = hp_24(fit(cxr) - y) the bone that was there:

- tone-fitted PSNR = -10 log10 mean (fit(p) - y)^2, dB;
- bone left = sum r b / sum b^2, r = hp_24(fit(p) - y), over the 30 % of pixels with the largest |b|;
- detail kept = slope of hp_6(fit(p)) on hp_6(y) over the 50 % of pixels with the smallest |b|.

Doing nothing scores about 26-28 dB, 1.0 and 0.95-0.99; returning the truth scores infinity, 0 and 1. Beside them, with
the fit and the sums in the body alone:

- bone energy left = sum relu(fit(p) - y)^2 / sum relu(fit(cxr) - y)^2: 1 nothing removed, 0 all (what BSR leaves out);
- over-suppression = sum relu(y - fit(p))^2 / sum relu(fit(cxr) - y)^2: 0 none; the tone fit alone gives doing nothing
  some, because where it takes bone for tone it darkens everything else;
- rib edges left = sum grad(r) . grad(b) / sum |grad(b)|^2, r and b unfiltered but for a blur of 2 px, over the 10 % of
  the body's pixels where |grad(b)| is largest: a halo along a rib shows here and not in bone left;
- high-frequency energy = sum hp_2(fit(p))^2 / sum hp_2(y)^2 over the body's other half, where |grad(b)| is smallest:
  texture. A dual-energy image has the noise of two exposures, or was smoothed: compare with the row of doing nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.gaussian import gaussian_blur, high_pass
from models.metrics.body import body_masks
from models.metrics.tone import Image, Mask, fit

BONE_SIGMA = 24.0
DETAIL_SIGMA = 6.0
EDGE_SIGMA = 2.0
TEXTURE_SIGMA = 2.0
BONE_SHARE = 0.30
DETAIL_SHARE = 0.50
EDGE_SHARE = 0.10
EDGELESS_SHARE = 0.50
NOTHING = 1e-9
"""Sum of squares below which there is no bone: what rounding leaves where two images differ by tone alone."""


@dataclass(frozen=True)
class Scores:
    """The three figures of one image that bars are set in."""

    psnr_db: float
    bone_left: float
    detail_kept: float


@dataclass(frozen=True)
class Energies:
    """Four further figures of one image, taken in the body."""

    bone_energy_left: float
    over_suppression: float
    rib_edges_left: float
    high_frequency_energy: float


def score(predicted: Image, cxr: Image, truth: Image) -> Scores:
    """The three figures of `predicted`, a soft-tissue image made from `cxr`, against `truth`."""
    return Scores(
        tone_fitted_psnr(predicted, truth), bone_left(predicted, cxr, truth), detail_kept(predicted, cxr, truth)
    )


def energies(predicted: Image, cxr: Image, truth: Image) -> Energies:
    """The four further figures; the body is found in `cxr`. Not a number where cxr and truth differ by tone alone."""
    body = body_masks(cxr).body
    true = np.asarray(truth, np.float64)
    left, bone = fit(predicted, truth, body) - true, fit(cxr, truth, body) - true
    there = float(np.sum(np.maximum(bone[body], 0) ** 2))
    of_left, of_bone = (_gradient(_blurred(image, EDGE_SIGMA))[:, body] for image in (left, bone))
    strength = np.sum(of_bone**2, axis=0)
    edge = strength >= np.quantile(strength, 1 - EDGE_SHARE)
    edgeless = strength <= np.quantile(strength, EDGELESS_SHARE)
    return Energies(
        bone_energy_left=_ratio(float(np.sum(np.maximum(left[body], 0) ** 2)), there),
        over_suppression=_ratio(float(np.sum(np.maximum(-left[body], 0) ** 2)), there),
        rib_edges_left=_ratio(float(np.sum((of_left * of_bone)[:, edge])), float(np.sum(strength[edge]))),
        high_frequency_energy=_ratio(_texture(left + true, body, edgeless), _texture(true, body, edgeless)),
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
    return _ratio(float(np.sum(left[there] * bone[there])), float(np.sum(bone[there] ** 2)))


def detail_kept(predicted: Image, cxr: Image, truth: Image) -> float:
    """Share of the truth's fine detail (vessels, fissures) that the predicted image shows where there is no bone."""
    bone = np.abs(_high_passed(fit(cxr, truth) - truth, BONE_SIGMA))
    free = bone <= np.quantile(bone, DETAIL_SHARE)
    shown = _high_passed(fit(predicted, truth), DETAIL_SIGMA)[free]
    true = _high_passed(np.asarray(truth, np.float64), DETAIL_SIGMA)[free]
    return _ratio(float(np.cov(shown, true)[0, 1]), float(np.var(true, ddof=1)))


def _gradient(image: NDArray[np.float64]) -> NDArray[np.float64]:
    down, across = np.gradient(image)
    return np.stack([down, across])


def _texture(image: NDArray[np.float64], body: Mask, chosen: Mask) -> float:
    """`chosen` is one of the pixels of `body`."""
    return float(np.sum(_high_passed(image, TEXTURE_SIGMA)[body][chosen] ** 2))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > NOTHING else float("nan")


def _high_passed(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    return np.asarray(high_pass(_plane(image), sigma)[0, 0].numpy(), np.float64)


def _blurred(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    return np.asarray(gaussian_blur(_plane(image), sigma)[0, 0].numpy(), np.float64)


def _plane(image: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image, np.float64))[None, None]

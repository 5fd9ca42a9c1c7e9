"""Two pictures of one exposure become a pair: checked, brought to one size, registered, equalised if asked.

Both come bone bright; what cannot be a pair is refused with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from models.pairs.clahe import Clahe, equalise
from models.pairs.errors import PairDataError, PairFault
from models.pairs.motion import Motion
from models.pairs.registration import Registration, match, register

SMALLEST_SIDE = 64
UNRELATED_BELOW = 0.2
"""Correlation of detail: three real dual-energy pairs have 0.68 to 0.80, pictures of different patients below 0.1."""
SAME_ASPECT = 0.002


@dataclass(frozen=True)
class AlignOptions:
    """What is done to each pair."""

    size: int | None = None
    """Longer side of the result, pixels; None keeps the source's."""
    register: bool = True
    clahe: Clahe | None = None
    furthest_shift: float = 0.05
    """Of the longer side: beyond it the exposures are not of one breath. Rotation (degrees) and scale likewise."""
    furthest_rotation: float = 4.0
    furthest_scale: float = 0.05

    def __post_init__(self) -> None:
        if self.size is not None and not SMALLEST_SIDE <= self.size <= 8192:
            raise PairDataError(
                PairFault.OPTION_INVALID, f"expected a size of {SMALLEST_SIDE} to 8192 pixels, found {self.size}"
            )


@dataclass(frozen=True)
class AlignedPair:
    """Two (H, W) float32 images in [0, 1], and what was done to lay the second on the first."""

    cxr: NDArray[np.float32]
    soft: NDArray[np.float32]
    registration: Registration


def align_pair(cxr: NDArray[np.float32], soft: NDArray[np.float32], options: AlignOptions) -> AlignedPair:
    """The pair that two pictures make. Raises PairDataError with the reason when they make none."""
    check_picture(cxr, "radiograph")
    check_picture(soft, "soft-tissue image")
    if options.size is not None and _same_aspect(cxr.shape, soft.shape):
        cxr = resized(cxr, _fitted(cxr.shape, options.size))
        soft = resized(soft, _fitted(cxr.shape, options.size))
    check_sizes(cxr.shape, soft.shape)
    cxr, soft = np.clip(cxr, 0.0, 1.0), np.clip(soft, 0.0, 1.0)
    if np.array_equal(cxr, soft):
        raise PairDataError(PairFault.PAIR_IDENTICAL, "expected an image without bone, found the radiograph itself")
    found = register(cxr, soft) if options.register else _as_it_lies(cxr, soft)
    if found.match_after < UNRELATED_BELOW:
        raise PairDataError(
            PairFault.PAIR_UNRELATED,
            f"expected two images of one exposure, whose details correlate by {UNRELATED_BELOW:g} at least, "
            f"found {found.match_after:.2f}",
        )
    _check_motion(found.motion, max(cxr.shape), options)
    moved = found.moved
    if options.clahe is not None:
        cxr, moved = equalise(cxr, options.clahe), equalise(moved, options.clahe)
    return AlignedPair(cxr, moved, found)


def check_picture(picture: NDArray[np.float32], what: str) -> None:
    """Raises PairDataError unless `picture` is a finite (H, W) image with contrast, large enough to be judged."""
    if picture.ndim != 2 or min(picture.shape) < SMALLEST_SIDE:
        raise PairDataError(
            PairFault.TOO_SMALL,
            f"{what}: expected {SMALLEST_SIDE} pixels a side at least, found {_size(picture.shape)}",
        )
    if not np.isfinite(picture).all():
        raise PairDataError(PairFault.NOT_FINITE, f"{what}: expected numbers, found NaN or infinity among the pixels")
    if not float(np.ptp(np.clip(picture, 0.0, 1.0))) > 0:
        raise PairDataError(PairFault.NO_CONTRAST, f"{what}: expected a picture, found a single grey")


def check_sizes(cxr: tuple[int, ...], soft: tuple[int, ...]) -> None:
    """Raises PairDataError (PAIR_SIZES_DIFFER) naming both."""
    if cxr != soft:
        raise PairDataError(
            PairFault.PAIR_SIZES_DIFFER,
            f"expected pictures of one size, found a radiograph of {_size(cxr)} and a soft-tissue image of "
            f"{_size(soft)} pixels",
        )


def resized(image: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """(H, W) → `shape`, bicubic, antialiased, within the source's range."""
    if image.shape == shape:
        return image
    tensor = torch.from_numpy(np.ascontiguousarray(image, np.float32))[None, None]
    scaled = F.interpolate(tensor, shape, mode="bicubic", align_corners=False, antialias=True)[0, 0].numpy()
    return np.asarray(np.clip(scaled, image.min(), image.max()), np.float32)


def _as_it_lies(cxr: NDArray[np.float32], soft: NDArray[np.float32]) -> Registration:
    found = match(cxr, soft)
    return Registration(soft, Motion(), found, found)


def _check_motion(motion: Motion, longest: int, options: AlignOptions) -> None:
    right, down = motion.shift
    furthest = options.furthest_shift * longest
    if (
        max(abs(right), abs(down)) > furthest
        or abs(motion.rotation) > options.furthest_rotation
        or abs(motion.scale - 1) > options.furthest_scale
    ):
        raise PairDataError(
            PairFault.MOVED_TOO_FAR,
            f"expected exposures moments apart, within {furthest:.0f} pixels, {options.furthest_rotation:g}° and "
            f"{options.furthest_scale:.0%} of scale, found a shift of {right:.1f} and {down:.1f} pixels, a turn of "
            f"{motion.rotation:.2f}° and a scale of {motion.scale:.3f}",
        )


def _same_aspect(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    return abs(first[0] * second[1] / (first[1] * second[0]) - 1) <= SAME_ASPECT


def _fitted(shape: tuple[int, ...], size: int) -> tuple[int, int]:
    scale = size / max(shape)
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(str(side) for side in reversed(shape))

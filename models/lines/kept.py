"""Lines keep their contrast: what a residual takes from them, and from them alone, is given back.

Under a line the residual may be what it is beside it, and no more. So a rib that passes below a line still goes, a
residual that took nothing from the line stays as it is, and nothing is ever taken that was not taken before.

What looks like a line may be the cortex of an upper arm, a clavicle or a scapula. Two networks are asked: the finder,
and the one that named the residual, which takes from bone nearly all of its contrast, and from a line a part.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from models.beside import from_beside
from models.lines.finder import SHA256, lines_in
from models.lines.scaled import scaled
from models.regions import Parts

NAMED = f"1-{SHA256[:12]}"
"""Named in every result, since it decides pixels. The number is to be raised whenever this file, the finder's
thresholds or what it looks at give back something else; what follows stands for the network's weights."""
BONE_TAKERS = frozenset({"residual-unet"})
"""Architectures whose residual takes nearly all of a bone's narrow contrast, as `BONE` supposes. One that takes half of
it, as `bs-ldm-lite` does, would get edges of bones back as lines."""
NARROW = 9
"""Pixels of the grid on which lines are found: wider than a line as a network shows it, narrower than a rib."""
BONE = 0.8
"""Share of its narrow contrast that a residual takes from a bone's edge, at least."""
SHORT, LONG = 60 / 512, 160 / 512
"""Of the longer side, 4 and 11 cm of a chest 36 cm wide: shorter pieces are as often the cortex of a rib; from there on
a piece is a line unless the residual takes as much of it as of bone."""
BLURRED = 5
"""Side of the surroundings, in pixels of the grid on which lines are found, over which a network has spread a line."""
SOFTENED = 3
BESIDE_SIGMAS = (2.0, 4.5, 9.0)
"""Of the same pixels: how far beside a line the residual is looked up."""


def with_lines_kept(residual: NDArray[np.float32], display: NDArray[np.float32]) -> NDArray[np.float32]:
    """`residual` of the radiograph `display`, (H, W) float32 each in display units, without what it takes from lines.

    Raises WeightsError when the network that finds lines is missing or altered.
    """
    native, seen = _plane(residual), scaled(_plane(display))
    found = lines_in(seen)
    if not found.extent.size:
        return residual
    coarse = scaled(native)
    wide = _opened(coarse)
    sure = _not_bone(found, seen - _opened(seen), coarse - wide)
    if not sure.any():
        return residual
    near = F.max_pool2d(found.only(sure), BLURRED, 1, BLURRED // 2)
    beside = torch.maximum(from_beside(coarse, 1 - near, BESIDE_SIGMAS), wide)
    taken = (coarse - beside).clamp_min(0)
    given = taken * F.avg_pool2d(near, SOFTENED, 1, SOFTENED // 2, count_include_pad=False)
    kept: NDArray[np.float32] = (native - F.interpolate(given, native.shape[2:], mode="bilinear"))[0, 0].numpy()
    return kept


def keeps_lines(architecture: str) -> bool:
    """Whether lines are given back to the residuals of models of this architecture."""
    return architecture in BONE_TAKERS


def _not_bone(found: Parts, shown: torch.Tensor, taken: torch.Tensor) -> NDArray[np.bool_]:
    """Which of the lines that were `found` are surely none of a bone's edges: of what is `shown` of them, narrow
    contrast as `taken` is, the residual takes less than it takes of bone, and the shorter they are the less."""
    length = found.extent / max(shown.shape[2:])
    most = np.minimum(length / LONG * BONE, BONE)
    return (length >= SHORT) & (found.sums(taken) < most * found.sums(shown))


def _opened(plane: torch.Tensor) -> torch.Tensor:
    """`plane` without what is bright and narrower than `NARROW` pixels (Serra 1982): an edge of a rib stays an edge."""
    return _largest(-_largest(-plane))


def _largest(plane: torch.Tensor) -> torch.Tensor:
    tall = F.max_pool2d(plane, (NARROW, 1), 1, (NARROW // 2, 0))
    return F.max_pool2d(tall, (1, NARROW), 1, (0, NARROW // 2))


def _plane(image: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image, np.float32))[None, None]

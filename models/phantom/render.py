"""Renders the digital chest phantom: path lengths -> attenuation -> display grey, with and without bone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.phantom.body import airway_path, body_path, bowel_gas_path
from models.phantom.bone_paths import BonePaths
from models.phantom.filters import blur, enlarge, texture
from models.phantom.geometry import FIELD_MM, Floats, Grid
from models.phantom.lungs import lung_path
from models.phantom.marker import add_marker
from models.phantom.nodules import NODULES, Lesion, Nodule, add_nodules
from models.phantom.ribs import add_ribs
from models.phantom.shoulder_girdle import add_shoulder_girdle
from models.phantom.spine import add_spine
from models.phantom.thorax import LEFT, RIGHT
from models.phantom.tone import Tone
from models.phantom.vessels import add_vessels

SOFT_PER_MM = 0.0195
"""Linear attenuation of water-like tissue, 1/mm, natural log: about 70 keV, the mean energy of a 120 kVp chest beam."""
LUNG_PER_MM = 0.0052
CORTEX_PER_MM = 0.066
"""Of compact bone beyond the tissue whose place it takes."""
MARROW_PER_MM = 0.0115
BLUR_MM = 0.16
"""Standard deviation of focal spot and detector blur."""
NOISE = 0.0060
"""Quantum noise in log units at an attenuation of 2 and a pitch of 0.2 mm."""
_STEP = 2.0**20
"""Images are multiples of 1/_STEP, so that float32 adds them without rounding."""


@dataclass(frozen=True)
class Phantom:
    """A radiograph with its parts; every array (H, W) float32, [0, 1], bone bright, row 0 at the top.

    radiograph == soft_tissue + bone exactly, in float32. Noise, vessels, nodules and the side marker are soft tissue;
    bone is free of noise.
    """

    radiograph: Floats
    soft_tissue: Floats
    bone: Floats
    pixel_spacing_mm: float
    nodules: tuple[Nodule, ...]
    """Centre row, column and radius, in pixels."""


def render(size: int = 2021, seed: int = 7, *, with_nodules: bool = True) -> Phantom:
    """A PA chest radiograph of `size` × `size` pixels over 404 mm; the same seed is the same patient at every size.

    Without nodules the same patient, with the same noise pattern, lacks them, as if they had not grown yet.
    """
    if size < 32:
        raise ValueError(f"a phantom needs at least 32 × 32 pixels, not {size}")
    grid = Grid(size)
    anatomy, noise = (np.random.default_rng((seed, stream)) for stream in (1, 2))
    bone = blur(_bone_attenuation(grid, anatomy), BLUR_MM / grid.spacing)
    soft = blur(_soft_attenuation(grid, anatomy, NODULES if with_nodules else ()), BLUR_MM / grid.spacing)
    bone[bone < 1e-6] = 0.0

    tone = Tone.of(soft, grid.spacing)
    clean = tone.grey(np.zeros_like(bone))
    total = tone.grey(bone)
    add_marker(clean, grid)
    np.maximum(total, clean, out=total)
    grains = blur(noise.standard_normal(soft.shape, dtype=np.float32), 0.55)
    # Photon statistics: the log signal's deviation grows as one over the root of what reaches the detector.
    deviation = NOISE * (0.2 / grid.spacing) / 0.5 * np.exp(0.5 * (np.minimum(soft + bone, 6.0) - 2.0))
    noisy = clean + grains * (tone.grey(deviation) - tone.grey(np.zeros_like(bone)))

    bone_grey = np.rint((total - clean) * _STEP) / np.float32(_STEP)
    soft_grey = np.rint(np.clip(noisy, 0.0, 1.0 - bone_grey) * _STEP) / np.float32(_STEP)
    return Phantom(
        radiograph=soft_grey + bone_grey,
        soft_tissue=soft_grey,
        bone=bone_grey,
        pixel_spacing_mm=FIELD_MM / size,
        nodules=tuple(nodule.on(grid) for nodule in NODULES) if with_nodules else (),
    )


def attenuation_paths(size: int, seed: int | tuple[int, ...]) -> tuple[Floats, Floats]:
    """Soft tissue and bone of a phantom as path integrals in cm of water, (size, size) float32 each, without noise."""
    grid, anatomy = Grid(size), np.random.default_rng(seed)
    bone, soft = _bone_attenuation(grid, anatomy), _soft_attenuation(grid, anatomy)
    per_cm = np.float32(10 * SOFT_PER_MM)
    return soft / per_cm, bone / per_cm


def _bone_attenuation(grid: Grid, rng: np.random.Generator) -> Floats:
    bones = BonePaths.empty(grid)
    add_ribs(bones, grid, rng)
    add_spine(bones, grid, rng)
    add_shoulder_girdle(bones, grid, rng)
    trabeculae = (
        1.0 + 0.16 * texture(rng, grid.size, grid.spacing, 1.1) + 0.06 * texture(rng, grid.size, grid.spacing, 3.0)
    )
    return np.asarray(CORTEX_PER_MM * bones.cortex + MARROW_PER_MM * bones.marrow * trabeculae, np.float32)


def _soft_attenuation(grid: Grid, rng: np.random.Generator, nodules: tuple[Lesion, ...] = NODULES) -> Floats:
    # Large smooth solids are computed at half the pitch of a large image: their edges are no sharper than that.
    coarse = grid if grid.size <= 1100 else Grid(-(-grid.size // 2))
    shape = (grid.size, grid.size)
    body = enlarge(body_path(coarse, rng), shape)
    lung = enlarge(lung_path(coarse, RIGHT) + lung_path(coarse, LEFT), shape)
    vessels = np.zeros(shape, np.float32)
    add_vessels(vessels, grid, rng)
    add_nodules(vessels, grid, nodules)
    parenchyma = (
        1.0 + 0.005 * texture(rng, grid.size, grid.spacing, 1.4) + 0.012 * texture(rng, grid.size, grid.spacing, 9.0)
    )
    # Vessels lie in lung; where a trunk leaves it, it is already part of the mediastinum.
    within = np.minimum(vessels, 0.9 * lung)
    lung = (lung - within) * parenchyma
    gas = enlarge(airway_path(coarse) + bowel_gas_path(coarse, rng), shape)
    tissue = np.maximum(body - lung - np.minimum(gas, 0.5 * body), 0.0)
    return np.asarray(SOFT_PER_MM * tissue + LUNG_PER_MM * lung, np.float32)

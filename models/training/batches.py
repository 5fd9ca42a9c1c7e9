"""Training batches: radiographs and bone residuals from pairs, projections, projected bone over soft tissue, and
differences: radiographs of other hospitals, whose own bone nobody knows, with and without something laid over them.

A batch is a pure function of the data, the seed and the step, so that a resumed training sees what it would have seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.training.augment import bone_scaled, chance, crop, exposed, noisy, overlaid, retoned, uniform
from models.training.bones import varied
from models.training.data import TrainingData
from models.training.opacities import NoduleKind, marker_mask, nodules, tubes

STRENGTH_SIGMA = 30.0
PAIR_SCALE = (0.8, 1.25)
PROJECTION_SCALE = (0.85, 1.35)
PHANTOM_SHARE = 0.25
"""Of the images whose bone comes from projections, where there are phantoms."""
PHANTOM_BONE_SHARE = 0.33
MARKED_SHARE = 0.4
TUBE_SHARE = 0.25
BONE_DIFFERENCE_SHARE = 0.65
BONE_MAP_CM = 0.1
NODULES, CHORDS = NoduleKind(), NoduleKind(peak=None)


@dataclass(frozen=True)
class Mixture:
    """How many images of a batch come from where."""

    pairs: int = 2
    projections: int = 1
    overlays: int = 2
    """Projected bone over the soft tissue of pairs."""
    differences: int = 0
    """Radiographs without a truth: what changes in them is known. Each costs two evaluations."""

    @property
    def total(self) -> int:
        """Images in a batch."""
        return self.pairs + self.projections + self.overlays + self.differences


@dataclass(frozen=True)
class Batch:
    """Model units: radiographs in [-1, 1] and their bone residuals, (N, 1, side, side) float32."""

    cxr: Tensor
    residual: Tensor
    exact: Tensor
    """(N, 1, 1, 1): 1 where the residual is known in every frequency, 0 where only above the hospital's tone."""
    trust: Tensor
    """(N, 1, side, side): 0 where something moved between the exposures, else 1."""
    bone: Tensor
    """(N, 1, side, side): 1 where bone was projected; see `mapped`."""
    mapped: Tensor
    """(N, 1, 1, 1): 1 where `bone` tells all bone there is."""
    nodules: Tensor
    """(N, 1, side, side): what was planted and must stay."""
    before: Tensor
    """(N, 1, side, side): for a difference the radiograph that `residual` and nodules were laid over, else 0."""
    difference: Tensor
    """(N, 1, 1, 1): 1 where only f(cxr) - f(before) is known to be `residual`."""


@dataclass(frozen=True)
class _Drawn:
    """Images of one source, display units; see `Batch`. What `added` holds is taken off again for `before`."""

    cxr: Tensor
    added: Tensor
    bone: Tensor
    nodules: Tensor
    trust: Tensor


def generator_for(seed: int, step: int) -> torch.Generator:
    """The generator of one step, the same whether the training was interrupted or not."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def draw_batch(data: TrainingData, mixture: Mixture, side: int, generator: torch.Generator) -> Batch:
    """The batch that `generator` stands for: pairs, projections, overlays, differences, in this order."""
    parts: list[_Drawn] = []
    is_bone = chance(mixture.differences, BONE_DIFFERENCE_SHARE, generator)
    if mixture.pairs:
        parts.append(_pairs(data, mixture.pairs, side, generator))
    if mixture.projections:
        parts.append(_projections(data, mixture.projections, side, generator))
    if mixture.overlays:
        parts.append(_overlays(data, mixture.overlays, side, generator))
    known = mixture.total - mixture.differences
    if mixture.differences:
        parts.append(_differences(data, is_bone, side, generator))
    cxr, added, bone, planted, trusted = (
        torch.cat([getattr(part, name) for part in parts]) for name in ("cxr", "added", "bone", "nodules", "trust")
    )
    n = len(cxr)
    cxr = cxr + torch.cat([tubes(known, side, TUBE_SHARE, generator), torch.zeros(n - known, 1, side, side)])
    toned, residual = retoned(cxr, added, generator)
    marked = torch.cat([marker_mask(known, side, MARKED_SHARE, generator), torch.zeros(n - known, 1, side, side)])
    toned = torch.lerp(toned, uniform(n, 0.7, 1.1, generator), marked)
    residual = residual * (1 - marked)
    seen = noisy(toned, generator)
    difference = torch.zeros(n, 1, 1, 1)
    difference[known:] = 1
    before = difference * ((seen - residual).clamp(0, 1) * 2 - 1)
    residual = torch.cat([residual[:known], residual[known:] * is_bone])
    exact, mapped = torch.ones(n, 1, 1, 1), torch.ones(n, 1, 1, 1) - difference
    exact[: mixture.pairs] = mapped[: mixture.pairs] = 0
    return Batch(
        cxr=seen * 2 - 1,
        residual=residual * 2,
        exact=exact,
        trust=torch.maximum(trusted, marked),
        bone=bone * (1 - marked),
        mapped=mapped,
        nodules=planted * (1 - marked) * 2,
        before=before,
        difference=difference,
    )


def draw_radiographs(data: TrainingData, count: int, side: int, generator: torch.Generator) -> Tensor:
    """Crops of unpaired radiographs in random tones, (count, 1, side, side), [-1, 1]."""
    cxr = _crops(data.radiographs, count, side, generator)[:, :1]
    return retoned(cxr, torch.zeros_like(cxr), generator)[0].clamp(0, 1) * 2 - 1


def _pairs(data: TrainingData, count: int, side: int, generator: torch.Generator) -> _Drawn:
    pairs = _crops(data.pairs, count, side, generator)
    cxr, residual = bone_scaled(pairs[:, :1], pairs[:, 1:2], generator, STRENGTH_SIGMA)
    planted = nodules(pairs[:, 3:], NODULES, generator)
    return _Drawn(cxr + planted, residual, torch.zeros_like(cxr), planted, pairs[:, 2:3])


def _projections(data: TrainingData, count: int, side: int, generator: torch.Generator) -> _Drawn:
    paths = _projected(data, count, side, PHANTOM_SHARE, generator)
    chords, bone = nodules(paths[:, 2:], CHORDS, generator), varied(paths[:, 1:2], generator)
    exposure = int(torch.randint(1 << 30, (), generator=generator))
    cxr, residual = exposed(paths[:, :1] + chords, bone, generator_for(exposure, 0))
    without, _ = exposed(paths[:, :1], bone, generator_for(exposure, 0))
    return _Drawn(cxr, residual, _map(bone), cxr - without, torch.ones_like(cxr))


def _overlays(data: TrainingData, count: int, side: int, generator: torch.Generator) -> _Drawn:
    pairs = _crops(data.pairs, count, side, generator)
    bone = varied(_projected(data, count, side, PHANTOM_BONE_SHARE, generator)[:, 1:2], generator)
    cxr, residual = overlaid((pairs[:, :1] - pairs[:, 1:2]).clamp(0, 1), bone, generator)
    planted = nodules(pairs[:, 3:], NODULES, generator)
    return _Drawn(cxr + planted, residual, _map(bone), planted, torch.ones_like(cxr))


def _differences(data: TrainingData, is_bone: Tensor, side: int, generator: torch.Generator) -> _Drawn:
    """Bone is laid over a radiograph, nodules planted in both; or nothing but nodules, which must change nothing."""
    count = len(is_bone)
    radiographs = _crops(data.radiographs, count, side, generator)
    bone = varied(_projected(data, count, side, PHANTOM_BONE_SHARE, generator)[:, 1:2], generator) * is_bone
    cxr, residual = overlaid(radiographs[:, :1], bone, generator)
    planted = nodules(radiographs[:, 1:], NODULES, generator)
    alone = nodules(radiographs[:, 1:], NoduleKind(share=1.0), generator) * (1 - is_bone)
    in_both = planted * is_bone
    return _Drawn(cxr + in_both + alone, residual + alone, _map(bone), in_both + alone, torch.ones_like(cxr))


def _projected(data: TrainingData, count: int, side: int, phantoms: float, generator: torch.Generator) -> Tensor:
    """Path integrals and lungs of the CT and, in a share of the images, of phantoms, (count, 3, side, side)."""
    if not len(data.phantoms):
        return _crops(data.projections, count, side, generator, PROJECTION_SCALE)
    drawn = [
        _crops(data.phantoms if of_phantom else data.projections, 1, side, generator, PROJECTION_SCALE)
        for of_phantom in (torch.rand(count, generator=generator) < phantoms).tolist()
    ]
    return torch.cat(drawn)


def _map(bone: Tensor) -> Tensor:
    return (bone > BONE_MAP_CM).float()


def _crops(
    images: Tensor, count: int, side: int, generator: torch.Generator, scale: tuple[float, float] = PAIR_SCALE
) -> Tensor:
    """`count` random crops of random images, (count, C, side, side)."""
    chosen = torch.randint(len(images), (count,), generator=generator).tolist()
    return torch.stack([crop(images[index], side, generator, scale=scale) for index in chosen])

"""Views of one CT: frontal, lateral, steep oblique, from above, and slices of it. The only real laterals at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.image_check.real import Sample
from models.training.projections import Attenuation, project, read_ct

OBLIQUE_DEGREES = (42, 55, 68, -42, -55, -68)


def ct_views(ct: Path, *, each: int, seed: int) -> list[Sample]:
    """`each` poses of every view; tone is left to the augmentation."""
    whole = read_ct(ct)
    both = Attenuation(whole.volumes.half().float(), whole.spacing_mm)
    generator = torch.Generator().manual_seed(seed)
    made = [Sample("ct", "ct frontal", _radiograph(both, generator)) for _ in range(each)]
    for turned, name in ((_about_up(both, 90), "left"), (_about_up(both, -90), "right")):
        made += [Sample(f"ct {name}", "ct lateral", _radiograph(turned, generator)) for _ in range(each)]
    for degrees in OBLIQUE_DEGREES:
        turned = _about_up(both, degrees)
        made += [Sample("ct oblique", "ct oblique", _radiograph(turned, generator)) for _ in range(max(1, each // 4))]
    made += [Sample("ct axial", "ct axial", _radiograph(_lying(both), generator)) for _ in range(max(1, each // 4))]
    slices = both.volumes.sum(0)
    for index in range(20, slices.shape[0] - 20, 40):
        made.append(Sample("ct slice", "ct slice", slices[index].numpy().astype(np.float32)))
    return made


def _radiograph(attenuation: Attenuation, generator: torch.Generator) -> np.ndarray:
    return np.asarray(project(attenuation, generator).sum(0)[::2, ::2].numpy(), np.float32)


def _about_up(ct: Attenuation, degrees: float) -> Attenuation:
    """The patient turned about the body's axis, in a volume wide and deep enough for every turn."""
    depth, height, width = ct.spacing_mm
    side = max(ct.volumes.shape[2] * height, ct.volumes.shape[3] * width)
    count = 320
    step = side / count
    at = (torch.arange(count) - (count - 1) / 2) * step
    y, x = torch.meshgrid(at, at, indexing="ij")
    angle = np.deg2rad(degrees)
    source_x, source_y = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    grid = torch.stack(
        [source_x / (ct.volumes.shape[3] * width / 2), source_y / (ct.volumes.shape[2] * height / 2)], -1
    ).float()
    slices = ct.volumes.transpose(0, 1)  # (Z, 2, Y, X)
    turned = F.grid_sample(slices, grid[None].expand(slices.shape[0], -1, -1, -1), align_corners=False)
    return Attenuation(turned.transpose(0, 1).contiguous(), (depth, step, step))


def _lying(ct: Attenuation) -> Attenuation:
    """The beam along the body's axis."""
    volumes: Tensor = ct.volumes.transpose(1, 2).contiguous()
    return Attenuation(volumes, (ct.spacing_mm[1], ct.spacing_mm[0], ct.spacing_mm[2]))

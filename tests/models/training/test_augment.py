from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.training.augment import bone_scaled, crop, exposed, noisy, overlaid, retoned


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def chest() -> tuple[Tensor, Tensor]:
    """Radiograph and bone residual, (4, 1, 64, 64), display units."""
    y = torch.linspace(0, 1, 64).view(1, 1, 64, 1).expand(4, 1, 64, 64)
    bone = 0.1 * (torch.sin(40 * y) > 0.5).float()
    return 0.3 + 0.3 * y + bone, bone


def test_a_tone_change_keeps_boneless_pixels_boneless(chest: tuple[Tensor, Tensor]) -> None:
    cxr, _ = chest
    _, residual = retoned(cxr, torch.zeros_like(cxr), generator())
    assert float(residual.abs().max()) == 0


def test_a_tone_change_of_the_radiograph_less_bone_is_the_changed_soft_tissue(chest: tuple[Tensor, Tensor]) -> None:
    cxr, bone = chest
    toned, residual = retoned(cxr, bone, generator(4))
    soft, nothing = retoned(cxr - bone, torch.zeros_like(bone), generator(4))
    torch.testing.assert_close(toned - residual, soft)
    assert float(nothing.abs().max()) == 0


def test_stronger_bone_leaves_the_soft_tissue_as_it_was(chest: tuple[Tensor, Tensor]) -> None:
    cxr, bone = chest
    stronger, residual = bone_scaled(cxr, bone, generator(2), 10.0)
    torch.testing.assert_close(stronger - residual, cxr - bone)
    assert float((residual - bone).abs().max()) > 0.005


def test_an_exposure_without_bone_has_no_residual() -> None:
    soft = torch.linspace(0, 25, 64).view(1, 1, 1, 64).expand(2, 1, 8, 64)
    radiograph, residual = exposed(soft, torch.zeros_like(soft), generator())
    assert float(residual.abs().max()) == 0
    assert bool((radiograph.diff(dim=-1) > 0).all())


def test_bone_makes_an_exposure_brighter() -> None:
    soft = torch.full((2, 1, 8, 8), 10.0)
    _, residual = exposed(soft, torch.ones_like(soft), generator())
    assert float(residual.min()) > 0


def test_overlaid_bone_is_exactly_what_was_added() -> None:
    soft = torch.rand((2, 1, 16, 16), generator=generator(1))
    radiograph, residual = overlaid(soft, torch.ones_like(soft), generator())
    torch.testing.assert_close(radiograph - residual, soft)


def test_noise_keeps_the_display_range(chest: tuple[Tensor, Tensor]) -> None:
    noised = noisy(chest[0] * 1.5, generator())
    assert float(noised.min()) >= 0
    assert float(noised.max()) <= 1


def test_a_crop_has_the_asked_size_and_comes_again_from_the_same_generator() -> None:
    source = torch.rand((2, 80, 96), generator=generator(1))
    first = crop(source, 32, generator(7), scale=(0.8, 1.25))
    assert first.shape == (2, 32, 32)
    assert torch.equal(first, crop(source, 32, generator(7), scale=(0.8, 1.25)))
    assert not torch.equal(first, crop(source, 32, generator(8), scale=(0.8, 1.25)))

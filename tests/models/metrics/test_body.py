from __future__ import annotations

import numpy as np
import pytest
import torch

from models.metrics.body import body_masks
from models.phantom import render


def test_air_around_the_phantom_is_outside_and_its_lungs_are_not() -> None:
    chest = render(512, 7).radiograph
    masks = body_masks(chest)
    assert masks.outside.shape == chest.shape
    assert 0.01 < masks.outside.mean() < 0.3
    assert not (masks.outside & masks.body).any()
    lungs = np.s_[150:350, 130:380]
    assert masks.body[lungs].all()
    assert np.quantile(chest[masks.outside], 0.99) < 0.15


def test_a_dark_region_in_the_middle_belongs_to_the_patient() -> None:
    chest = np.full((200, 300), 0.7, np.float32)
    chest[80:120, 100:200] = 0.0
    chest[:, :40] = 0.0
    masks = body_masks(chest)
    assert masks.outside[:, :30].all()
    assert not masks.outside[:, 50:].any()


def test_collimation_filled_with_an_even_grey_is_outside_and_dark_lung_at_the_border_is_not() -> None:
    grain = torch.randn((256, 256), generator=torch.Generator().manual_seed(1)).numpy() * 0.02
    chest = (0.6 + grain).astype(np.float32)
    chest[:60] = 0.25
    chest[200:] = 0.25 + grain[200:]
    chest[100:104, 100:104], chest[110:114, 110:114] = 0.0, 1.0
    outside = body_masks(chest).outside
    assert outside[:50].all()
    assert not outside[70:].any()


@pytest.mark.parametrize("shape", [(1, 1), (7, 900), (40, 3)])
def test_any_shape_has_masks(shape: tuple[int, int]) -> None:
    masks = body_masks(np.linspace(0, 1, shape[0] * shape[1], dtype=np.float32).reshape(shape))
    assert masks.body.shape == masks.outside.shape == shape


def test_an_image_of_one_grey_is_no_patient_and_raises_nothing() -> None:
    assert body_masks(np.full((64, 64), 0.5, np.float32)).body.shape == (64, 64)

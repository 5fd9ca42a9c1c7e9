from __future__ import annotations

from dataclasses import replace

import torch

from models.training.batches import Mixture, draw_batch, draw_radiographs, generator_for

from .synthetic import synthetic_data

ONE_OF_EACH = Mixture(pairs=1, projections=1, overlays=1)


def test_a_step_always_draws_the_same_batch() -> None:
    first, again = (draw_batch(synthetic_data(), ONE_OF_EACH, 32, generator_for(1, 7)) for _ in range(2))
    other = draw_batch(synthetic_data(), ONE_OF_EACH, 32, generator_for(1, 8))
    assert torch.equal(first.cxr, again.cxr)
    assert torch.equal(first.residual, again.residual)
    assert not torch.equal(first.cxr, other.cxr)


def test_only_pairs_are_inexact_and_all_is_in_the_model_range() -> None:
    batch = draw_batch(synthetic_data(), Mixture(2, 1, 3), 32, generator_for(1, 0))
    assert batch.exact.flatten().tolist() == [0, 0, 1, 1, 1, 1]
    assert batch.cxr.shape == batch.residual.shape == batch.trust.shape == (6, 1, 32, 32)
    assert float(batch.cxr.abs().max()) <= 1
    assert float(batch.trust[2:].min()) == 1


def test_radiographs_are_crops_in_the_model_range() -> None:
    images = draw_radiographs(synthetic_data(), 3, 32, generator_for(2, 0))
    assert images.shape == (3, 1, 32, 32)
    assert float(images.abs().max()) <= 1


def test_of_a_difference_only_what_was_laid_over_it_is_the_residual() -> None:
    batch = draw_batch(
        synthetic_data(), Mixture(pairs=0, projections=0, overlays=0, differences=8), 48, generator_for(1, 4)
    )
    assert batch.difference.flatten().tolist() == [1] * 8
    assert batch.mapped.flatten().tolist() == [0] * 8
    added = batch.cxr - batch.before
    bone = batch.residual.abs().amax((1, 2, 3)) > 0
    assert 0 < int(bone.sum()) < 8
    # Where bone was laid over, the images differ by it; elsewhere by nodules, which are no bone.
    inside = (batch.cxr.abs() < 0.999) & (batch.before.abs() < 0.999)
    torch.testing.assert_close((added * inside)[bone], (batch.residual * inside)[bone], atol=1e-5, rtol=0)
    assert float(added[~bone].abs().amax()) > 0.01


def test_phantoms_lend_their_bones_to_some_of_the_images() -> None:
    data = synthetic_data()
    strong = replace(data, phantoms=torch.full((1, 3, 64, 64), 5.0))
    mixture = Mixture(pairs=0, projections=8, overlays=0)
    plain, mixed = (draw_batch(each, mixture, 32, generator_for(2, 2)) for each in (data, strong))
    assert not torch.equal(plain.bone, mixed.bone)
    assert bool((mixed.bone.mean((1, 2, 3)) > 0.5).any())

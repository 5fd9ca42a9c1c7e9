from __future__ import annotations

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

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.training.batches import Mixture, draw_batch, generator_for
from models.training.losses import held, residual_terms

from .synthetic import synthetic_data

MIXTURE = Mixture(pairs=1, projections=1, overlays=1, differences=1)


def test_the_true_residual_costs_nothing() -> None:
    batch = draw_batch(synthetic_data(), MIXTURE, 64, generator_for(1, 0))
    terms = residual_terms(batch.residual, None, batch)
    assert set(terms) == {"residual", "bone", "detail", "nodules"}
    assert all(float(term) == pytest.approx(0, abs=1e-6) for term in terms.values())


def test_taking_nodules_away_with_the_bone_costs_what_is_taken() -> None:
    batch = draw_batch(synthetic_data(), MIXTURE, 64, generator_for(1, 3))
    batch = replace(batch, nodules=torch.rand(batch.cxr.shape, generator=generator_for(0, 0)))
    some, more = (
        residual_terms(batch.residual + share * batch.nodules, None, batch)["nodules"] for share in (0.2, 0.4)
    )
    assert 0 < float(some) < float(more)


@given(st.floats(0.0, 2.0))
def test_what_is_held_is_the_share_of_the_pattern(share: float) -> None:
    pattern = torch.randn((1, 1, 64, 64), generator=generator_for(0, 1))
    assert float(held(share * pattern, pattern, 32)) == pytest.approx(share, abs=1e-3)


def test_a_pattern_that_is_nowhere_is_not_held() -> None:
    error = torch.randn((1, 1, 64, 64), generator=generator_for(0, 1))
    assert float(held(error, torch.zeros_like(error), 32)) == 0


def test_the_map_of_bone_is_asked_for_only_where_all_bone_is_known() -> None:
    batch = draw_batch(synthetic_data(), MIXTURE, 64, generator_for(1, 0))
    logits = torch.where(batch.bone > 0, 20.0, -20.0)
    right = residual_terms(batch.residual, logits, batch)["map"]
    unknown = residual_terms(batch.residual, torch.where(batch.mapped > 0, logits, -logits), batch)["map"]
    assert float(right) == pytest.approx(0, abs=1e-6)
    assert torch.equal(right, unknown)

from __future__ import annotations

import torch

from models.training.opacities import NoduleKind, marker_mask, nodules, tubes

LUNGS = torch.ones(8, 1, 96, 96)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_markers_lie_on_about_as_many_images_as_asked_for() -> None:
    mask = marker_mask(200, 64, 0.4, generator())
    assert 0.3 < float(mask.amax((1, 2, 3)).mean()) < 0.5
    assert set(mask.unique().tolist()) == {0.0, 1.0}


def test_nodules_are_bright_round_spots_and_nothing_else() -> None:
    drawn = nodules(LUNGS[:3], NoduleKind(share=1.0), generator(5))
    assert float(drawn.min()) == 0
    for image in drawn:
        assert 0.02 < float(image.max()) < 1.0
        assert 0.001 < float((image > 0).float().mean()) < 0.7
    assert torch.equal(drawn, nodules(LUNGS[:3], NoduleKind(share=1.0), generator(5)))
    assert float(nodules(LUNGS[:3], NoduleKind(share=0.0), generator(5)).max()) == 0


def test_a_nodule_in_a_projection_attenuates_as_the_chord_through_it() -> None:
    drawn = nodules(LUNGS, NoduleKind(share=1.0, peak=None, radius=(10.0, 10.0)), generator(2))
    # A ball of 10 px is 15 mm thick; three quarters of that replace air, and up to five may overlap.
    one = 2 * 10 * 0.076 * 0.75
    assert 0.5 * one < float(drawn.amax((1, 2, 3)).median()) < 3 * one


def test_tubes_are_thin_and_on_about_as_many_images_as_asked_for() -> None:
    drawn = tubes(100, 64, 0.25, generator())
    assert 0.1 < float((drawn.amax((1, 2, 3)) > 0.02).float().mean()) < 0.4
    with_tube = drawn[drawn.amax((1, 2, 3)) > 0.02]
    assert float((with_tube > 0.02).float().mean()) < 0.35


def test_nodules_are_planted_in_lungs_alone() -> None:
    lungs = torch.zeros(6, 1, 96, 96)
    lungs[..., 40:60, 40:60] = 1
    drawn = nodules(lungs, NoduleKind(share=1.0, radius=(4.0, 6.0)), generator(3))
    assert float(drawn[..., 50:, 50:].max()) > 0
    assert float(drawn[..., :30, :].max()) == 0
    assert float(nodules(torch.zeros_like(lungs), NoduleKind(share=1.0), generator(3)).max()) == 0

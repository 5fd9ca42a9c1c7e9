from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.errors import WeightsError
from models.lines import finder
from models.lines import kept as keeping
from models.lines.drawing import Line, drawn, smooth_path
from models.lines.finder import lines_in
from models.lines.kept import with_lines_kept
from models.phantom import render
from models.phantom.render import Phantom
from models.regions import parts_of

Image = NDArray[np.float32]
SIDE = 1024
LEAD = np.array([(380.0, 800.0), (300, 760), (250, 640), (330, 450), (500, 330), (660, 300)])
"""Across ribs, mediastinum and lung."""


@lru_cache
def phantom_of() -> Phantom:
    return render(SIDE, 3)


@lru_cache
def lead() -> Image:
    return drawn(Line(2.0, 0.15), smooth_path(LEAD), (SIDE, SIDE), 0.35).astype(np.float32)


def bone_of(phantom: Phantom) -> Image:
    return np.asarray(phantom.radiograph - phantom.soft_tissue, np.float32)


def resized(image: Image, side: int) -> Image:
    plane = torch.from_numpy(image)[None, None]
    return np.asarray(F.interpolate(plane, (side, side), mode="bilinear", antialias=side < SIDE)[0, 0].numpy())


def share_of(line: Image, image: Image) -> float:
    inside = line > 0.25 * line.max()
    return float((image * line)[inside].sum() / (line[inside] ** 2).sum())


def test_a_lead_that_was_half_taken_for_bone_has_its_contrast_again_and_the_ribs_below_it_go() -> None:
    phantom = phantom_of()
    shown = phantom.radiograph.astype(np.float32) + lead()
    residual = bone_of(phantom) + np.float32(0.5) * lead()
    kept = with_lines_kept(residual, shown)
    assert share_of(lead(), (shown - kept) - phantom.soft_tissue) > 0.8
    near = lead() > 0
    left = (shown - kept - lead() - phantom.soft_tissue)[near]
    assert float(np.sqrt((left**2).mean())) < 0.35 * float(np.sqrt((bone_of(phantom)[near] ** 2).mean()))


def test_what_a_residual_takes_whole_is_an_edge_of_bone_however_much_it_looks_like_a_lead() -> None:
    shown = phantom_of().radiograph.astype(np.float32) + lead()
    residual = bone_of(phantom_of()) + lead()
    assert share_of(lead(), residual - with_lines_kept(residual, shown)) < 0.05


def test_the_shorter_a_piece_is_the_less_may_be_taken_of_it_to_be_a_line() -> None:
    mask = torch.zeros(1, 1, 200, 512)
    for row, length in ((10, 50), (30, 80), (50, 80), (70, 300), (90, 300)):
        mask[..., row, 5 : 5 + length] = 1
    share = torch.zeros_like(mask)
    for row, taken in ((10, 0.0), (30, 0.3), (50, 0.5), (70, 0.7), (90, 0.9)):
        share[..., row, :] = taken
    assert keeping._not_bone(parts_of(mask), mask, share).tolist() == [False, True, False, True, False]


@pytest.mark.parametrize("side", [512, pytest.param(6000, marks=pytest.mark.slow)])
def test_a_lead_is_kept_at_other_sizes_too(side: int) -> None:
    shown = resized(phantom_of().radiograph.astype(np.float32) + lead(), side)
    residual = resized(bone_of(phantom_of()) + np.float32(0.5) * lead(), side)
    back = resized(residual - with_lines_kept(residual, shown), SIDE)
    assert share_of(lead(), back) > 0.35


def test_at_300_pixels_what_is_given_back_is_the_leads() -> None:
    shown = resized(phantom_of().radiograph.astype(np.float32) + lead(), 300)
    residual = resized(bone_of(phantom_of()) + np.float32(0.5) * lead(), 300)
    back = residual - with_lines_kept(residual, shown)
    assert back.shape == (300, 300)
    near = F.max_pool2d(torch.from_numpy(resized(lead(), 300))[None, None], 7, 1, 3)[0, 0].numpy()
    assert float((back[near < 0.01] ** 2).sum()) <= 0.05 * float((resized(lead(), 300) ** 2).sum())


def test_far_from_the_lead_nothing_changes_and_nowhere_is_more_taken() -> None:
    phantom = phantom_of()
    shown = phantom.radiograph.astype(np.float32) + lead()
    residual = bone_of(phantom)
    kept = with_lines_kept(residual, shown)
    assert (kept <= residual + 1e-6).all()
    far = np.ones((SIDE, SIDE), bool)
    far[200:720, 250:860] = False
    assert (kept[far] == with_lines_kept(residual, phantom.radiograph.astype(np.float32))[far]).mean() > 0.98


def test_bone_does_not_come_back_where_there_is_no_line() -> None:
    phantom = phantom_of()
    bone = bone_of(phantom)
    back = bone - with_lines_kept(bone, phantom.radiograph.astype(np.float32))
    assert float((back**2).sum()) < 0.002 * float((bone**2).sum())


def test_what_was_given_back_once_is_not_given_back_again() -> None:
    shown = phantom_of().radiograph.astype(np.float32) + lead()
    residual = bone_of(phantom_of()) + np.float32(0.5) * lead()
    once = with_lines_kept(residual, shown)
    twice = with_lines_kept(once, shown)
    assert float(((once - twice) ** 2).sum()) < 0.05 * float(((residual - once) ** 2).sum())


def test_a_residual_of_a_picture_without_contrast_comes_back_as_it_is() -> None:
    residual = np.full((64, 64), 0.1, np.float32)
    assert with_lines_kept(residual, np.full((64, 64), 0.4, np.float32)) is residual


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (300, 300), (257, 130), (2021, 1990), (6000, 300), (300, 6000)])
def test_images_of_any_size_come_back_in_their_size(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    noise, residual = random.random(shape, np.float32), random.random(shape, np.float32) * np.float32(0.1)
    kept = with_lines_kept(residual, noise)
    assert kept.shape == shape
    assert kept.dtype == np.float32
    assert np.isfinite(kept).all()
    assert (kept <= residual + 1e-6).all()


@settings(deadline=None, max_examples=4)
@given(st.floats(0.2, 5.0), st.floats(-3.0, 3.0))
def test_what_is_found_hangs_on_no_unit(gain: float, offset: float) -> None:
    shown = torch.from_numpy(phantom_of().radiograph.astype(np.float32) + lead())[None, None]
    plain, other = (lines_in(cxr).number > 0 for cxr in (shown, shown * gain + offset))
    assert plain.any()
    assert float((plain != other).mean()) < 1e-3


def test_altered_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    finder._network.cache_clear()
    monkeypatch.setattr(finder, "SHA256", "0" * 64)
    with pytest.raises(WeightsError, match="expected SHA-256 0000"):
        lines_in(torch.rand(1, 1, 64, 64))
    finder._network.cache_clear()

from __future__ import annotations

import torch

from models.phantom import render
from models.phantom.render import attenuation_paths
from models.training.lungs import lung_mask, paths_with_lungs, with_lungs


def test_the_phantoms_lungs_are_found_and_its_shoulders_heart_and_air_are_not() -> None:
    phantom = render(256)
    both = with_lungs(torch.from_numpy(phantom.radiograph)[None, None])
    mask = both[0, 1]
    assert both.shape == (1, 2, 256, 256)
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert 0.08 < float(mask.mean()) < 0.4
    nodule = phantom.nodules[0]
    assert float(mask[int(nodule.row), int(nodule.column)]) == 1
    assert float(mask[:20].max()) == 0
    assert float(mask[:, 118:138].mean()) < 0.2
    assert float(mask[230:].mean()) < 0.1


def test_projections_have_lungs_too() -> None:
    soft, bone = (torch.from_numpy(path) for path in attenuation_paths(256, 1))
    paths = paths_with_lungs(torch.stack([soft, bone])[None])
    assert paths.shape == (1, 3, 256, 256)
    assert 0.08 < float(paths[0, 2].mean()) < 0.4
    assert float(paths[0, 2][200:, 100:150].mean()) < 0.1


def test_an_empty_image_has_no_lungs() -> None:
    assert float(lung_mask(torch.zeros(1, 1, 64, 64)).max()) == 0

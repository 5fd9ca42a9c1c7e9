from __future__ import annotations

import numpy as np
import pytest

from models.metrics.nodule import contrast_kept, disc

RNG = np.random.default_rng(5)
SOFT = RNG.random((64, 64))
INSIDE = disc(SOFT.shape, 30, 34, 8)
NODULE = 0.1 * INSIDE * RNG.random((64, 64))


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0, 1.3])
def test_the_share_that_is_shown_is_the_share_that_is_kept(share: float) -> None:
    elsewhere = RNG.random((64, 64)) * ~INSIDE
    shown = 0.5 * SOFT
    assert contrast_kept(shown + share * NODULE + elsewhere, shown, SOFT + NODULE, SOFT, INSIDE) == pytest.approx(share)


def test_a_method_that_takes_the_nodule_for_bone_keeps_nothing_of_it() -> None:
    radiograph = SOFT + 0.3
    with_nodule = radiograph + NODULE
    taken = NODULE + 0.3
    assert contrast_kept(with_nodule - taken, radiograph - 0.3, SOFT + NODULE, SOFT, INSIDE) == pytest.approx(
        0, abs=1e-9
    )


def test_a_nodule_without_contrast_has_none_to_keep() -> None:
    assert np.isnan(contrast_kept(SOFT, SOFT, SOFT, SOFT, INSIDE))


def test_a_disc_has_its_area_and_stays_in_the_image() -> None:
    assert disc((100, 100), 50, 50, 20).sum() == pytest.approx(np.pi * 400, rel=0.01)
    assert disc((100, 100), 0, 0, 20).sum() == pytest.approx(np.pi * 100, rel=0.15)

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from models.pairs.errors import PairDataError
from models.pairs.source import Polarity
from tests.models.pairs.phantom_pairs import exposures
from worker.prepare_pairs_polarity import bone_bright


@pytest.mark.parametrize(("cxr_dark", "soft_dark"), [*product([False, True], repeat=2)])
def test_every_polarity_becomes_bone_bright_by_the_pictures_alone(cxr_dark: bool, soft_dark: bool) -> None:
    cxr, soft = exposures()
    found = bone_bright(
        1 - cxr if cxr_dark else cxr, 1 - soft if soft_dark else soft,
        cxr_polarity=Polarity.UNKNOWN, soft_polarity=Polarity.UNKNOWN,
    )  # fmt: skip
    assert (found.cxr_turned, found.soft_turned) == (cxr_dark, soft_dark)
    np.testing.assert_allclose(found.cxr, cxr, atol=1e-6)
    np.testing.assert_allclose(found.soft, soft, atol=1e-6)


@pytest.mark.parametrize("stated", [Polarity.BRIGHT, Polarity.DARK])
def test_a_statement_that_the_picture_contradicts_is_refused(stated: Polarity) -> None:
    cxr, soft = exposures()
    if stated is Polarity.BRIGHT:
        cxr, soft = 1 - cxr, 1 - soft
    with pytest.raises(PairDataError, match="the other way round") as caught:
        bone_bright(cxr, soft, cxr_polarity=stated, soft_polarity=Polarity.UNKNOWN)
    assert caught.value.code == "POLARITY_UNSURE"


def test_a_soft_tissue_image_against_its_statement_is_refused() -> None:
    cxr, soft = exposures()
    with pytest.raises(PairDataError, match="soft-tissue image") as caught:
        bone_bright(cxr, 1 - soft, cxr_polarity=Polarity.BRIGHT, soft_polarity=Polarity.BRIGHT)
    assert caught.value.code == "POLARITY_UNSURE"


def test_a_picture_that_tells_nothing_needs_a_statement() -> None:
    y, x = np.mgrid[0:128, 0:128] / 128
    first = (0.5 + 0.4 * np.sin(25 * x) * np.sin(25 * y)).astype(np.float32)
    second = 0.8 * first + 0.1
    with pytest.raises(PairDataError, match="--polarity") as caught:
        bone_bright(first, second, cxr_polarity=Polarity.UNKNOWN, soft_polarity=Polarity.UNKNOWN)
    assert caught.value.code == "POLARITY_UNSURE"
    assert bone_bright(first, second, cxr_polarity=Polarity.DARK, soft_polarity=Polarity.DARK).cxr_turned


def test_pictures_without_anything_in_common_are_no_pair() -> None:
    cxr, _ = exposures()
    noise = np.random.default_rng(0).random(cxr.shape, dtype=np.float32)
    with pytest.raises(PairDataError) as caught:
        bone_bright(cxr, noise, cxr_polarity=Polarity.BRIGHT, soft_polarity=Polarity.UNKNOWN)
    assert caught.value.code == "PAIR_UNRELATED"

from __future__ import annotations

import numpy as np
import pytest

from models.pairs.align import AlignOptions, align_pair
from models.pairs.clahe import Clahe
from models.pairs.errors import PairDataError
from models.pairs.motion import carry, motion_of
from tests.models.pairs.phantom_pairs import Image, exposures


def code_of(cxr: Image, soft: Image, options: AlignOptions | None = None) -> str:
    with pytest.raises(PairDataError) as caught:
        align_pair(cxr, soft, options or AlignOptions())
    return caught.value.code


def test_a_pair_that_moved_lies_together_afterwards() -> None:
    cxr, soft = exposures()
    moved = carry(soft, motion_of(5, -3, 0.8))
    pair = align_pair(cxr, moved, AlignOptions())
    assert pair.registration.match_after > pair.registration.match_before + 0.2
    assert pair.registration.motion.shift == pytest.approx((-5, 3), abs=0.3)
    inside = (slice(20, -20),) * 2
    assert np.abs(pair.soft - soft)[inside].mean() < np.abs(moved - soft)[inside].mean() / 2
    np.testing.assert_array_equal(pair.cxr, cxr)


def test_without_registration_the_pictures_stay_as_they_are() -> None:
    cxr, soft = exposures()
    pair = align_pair(cxr, soft, AlignOptions(register=False))
    np.testing.assert_array_equal(pair.cxr, cxr)
    np.testing.assert_array_equal(pair.soft, soft)


def test_sizes_that_differ_are_both_named() -> None:
    cxr, soft = exposures()
    with pytest.raises(PairDataError, match="radiograph of 256 × 256 and a soft-tissue image of 256 × 250 pixels"):
        align_pair(cxr, soft[:250], AlignOptions())
    assert code_of(cxr, soft[:250], AlignOptions(size=128)) == "PAIR_SIZES_DIFFER"


def test_a_wanted_size_brings_pictures_of_one_aspect_together() -> None:
    cxr, _ = exposures(256)
    soft = exposures(512)[1]
    pair = align_pair(cxr, soft, AlignOptions(size=128))
    assert pair.cxr.shape == pair.soft.shape == (128, 128)


def test_the_longer_side_gets_the_wanted_size() -> None:
    cxr, soft = (picture[:, :192] for picture in exposures())
    assert align_pair(cxr, soft, AlignOptions(size=128)).soft.shape == (128, 96)


def test_nan_is_refused_by_picture() -> None:
    cxr, soft = exposures()
    broken = soft.copy()
    broken[3, 4] = np.nan
    assert code_of(cxr, broken) == "NOT_FINITE"
    assert code_of(broken, soft) == "NOT_FINITE"


def test_what_is_no_pair_is_refused_with_its_reason() -> None:
    cxr, soft = exposures()
    assert code_of(cxr, cxr.copy()) == "PAIR_IDENTICAL"
    assert code_of(cxr, np.full_like(cxr, 0.5)) == "NO_CONTRAST"
    assert code_of(cxr[:40, :40], soft[:40, :40]) == "TOO_SMALL"
    assert code_of(cxr, np.random.default_rng(0).random(cxr.shape, dtype=np.float32)) == "PAIR_UNRELATED"


@pytest.mark.parametrize("motion", [motion_of(20, 0), motion_of(0, 0, 5.0), motion_of(0, 0, 0, 1.07)])
def test_a_pair_that_moved_too_far_is_refused(motion: object) -> None:
    cxr, soft = exposures()
    assert code_of(cxr, carry(soft, motion)) == "MOVED_TOO_FAR"  # type: ignore[arg-type]


def test_clahe_is_applied_to_both() -> None:
    cxr, soft = exposures()
    plain, equalised = (align_pair(cxr, soft, AlignOptions(clahe=clahe)) for clahe in (None, Clahe()))
    assert not np.allclose(plain.cxr, equalised.cxr, atol=0.01)
    assert not np.allclose(plain.soft, equalised.soft, atol=0.01)


@pytest.mark.parametrize("size", [0, 63, 10_000])
def test_a_size_that_cannot_be_is_refused(size: int) -> None:
    with pytest.raises(PairDataError, match="64 to 8192"):
        AlignOptions(size=size)

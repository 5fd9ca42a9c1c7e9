"""The image check on pictures that anyone can draw, and on the real ones where they are."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmarks.image_check.drawn import drawn_chests, drawn_things, empty_exposures
from benchmarks.image_check.projected import ct_views
from benchmarks.image_check.real import frontal_chests, other_things
from dicom_node.image_check import ImageKind, check_image
from models.phantom import render
from tests.dicom_node.factories import chest

Picture = npt.NDArray[np.float32]
FRONTAL = {ImageKind.FRONTAL_CHEST, ImageKind.MIRRORED}


@pytest.fixture(scope="module")
def phantom() -> Picture:
    return render(512, seed=40).radiograph


@pytest.fixture(scope="module")
def real(shared: Path) -> list[Picture]:
    return [sample.picture for sample in frontal_chests(shared / "data")]


def kinds(pictures: list[Picture]) -> Counter[ImageKind]:
    return Counter(check_image(picture).kind for picture in pictures)


def test_the_phantom_is_a_frontal_chest(phantom: Picture) -> None:
    assert check_image(phantom).kind is ImageKind.FRONTAL_CHEST
    assert check_image(chest()).kind in FRONTAL


def test_window_and_gamma_change_nothing(phantom: Picture) -> None:
    scores = [check_image(picture).scores.frontal for picture in (phantom, phantom * 4000 - 1000, phantom**2)]
    assert max(scores) - min(scores) < 0.1


def test_an_inverted_phantom_looks_inverted(phantom: Picture) -> None:
    assert check_image(1 - phantom).kind is ImageKind.INVERTED_POLARITY


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_phantom_is_no_upright_chest(phantom: Picture, quarters: int) -> None:
    assert check_image(np.ascontiguousarray(np.rot90(phantom, quarters))).kind not in FRONTAL


def test_a_mirrored_phantom_is_still_a_frontal_chest(phantom: Picture) -> None:
    assert check_image(np.ascontiguousarray(phantom[:, ::-1])).kind in FRONTAL


def test_every_exposure_without_a_patient_is_empty() -> None:
    assert kinds([sample.picture for sample in empty_exposures(10, 77)]) == {ImageKind.EMPTY_EXPOSURE: 40}


def test_a_constant_or_tiny_or_fully_shuttered_picture_is_empty(phantom: Picture) -> None:
    for picture in (np.zeros((900, 900), np.float32), np.ones((4, 4), np.float32)):
        assert check_image(picture).kind is ImageKind.EMPTY_EXPOSURE
    assert check_image(phantom, np.zeros(phantom.shape, np.bool_)).kind is ImageKind.EMPTY_EXPOSURE


def test_shuttered_borders_say_nothing(phantom: Picture) -> None:
    framed = np.full((720, 900), 1.0, np.float32)
    valid = np.zeros(framed.shape, np.bool_)
    framed[100:612, 200:712] = phantom
    valid[100:612, 200:712] = True
    assert check_image(framed, valid).scores == check_image(phantom).scores


def test_few_drawn_things_pass_for_a_chest() -> None:
    things = kinds([one.picture for one in drawn_things(6, 501) if one.family != "drawn lateral"])
    assert sum(things[kind] for kind in FRONTAL) <= 0.1 * sum(things.values())
    chests = kinds([one.picture for one in drawn_chests(12, 502)])
    assert not {ImageKind.NOT_CHEST, ImageKind.EMPTY_EXPOSURE, ImageKind.INVERTED_POLARITY} & set(chests)


def test_no_real_frontal_chest_is_anything_else(real: list[Picture]) -> None:
    assert len(real) > 100
    assert set(kinds(real)) <= FRONTAL


def test_nearly_every_real_chest_that_is_inverted_is_seen_to_be(real: list[Picture]) -> None:
    found = kinds([-picture for picture in real])
    assert found[ImageKind.INVERTED_POLARITY] >= len(real) - 2


def test_nearly_no_real_chest_that_is_turned_passes(real: list[Picture]) -> None:
    for quarters in (1, 2, 3):
        found = kinds([np.ascontiguousarray(np.rot90(picture, quarters)) for picture in real])
        assert sum(found[kind] for kind in FRONTAL) <= 3


def test_no_lateral_projection_of_the_ct_passes(shared: Path) -> None:
    views = ct_views(shared / "data" / "ct" / "lidc_idri_0314.npz", each=4, seed=99)
    laterals = kinds([view.picture for view in views if view.family == "ct lateral"])
    assert set(laterals) <= {ImageKind.LATERAL_CHEST, ImageKind.NOT_CHEST}
    assert laterals[ImageKind.LATERAL_CHEST] >= 3


def test_no_real_picture_of_another_thing_passes(shared: Path) -> None:
    found = {one.origin: check_image(one.picture).kind for one in other_things(shared / "data")}
    assert len(found) >= 8
    assert {name for name, kind in found.items() if kind in FRONTAL} == set()


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 90), st.integers(1, 90)),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    )
)
def test_no_picture_whatever_makes_the_check_raise(picture: Picture) -> None:
    assert check_image(picture).kind in ImageKind
    valid = np.isfinite(picture)
    assert check_image(picture, valid).kind in ImageKind


def test_a_large_picture_takes_no_time_to_speak_of() -> None:
    picture = np.random.default_rng(0).random((3000, 3000), np.float32)
    check_image(picture)
    used = []
    for _ in range(5):
        start = time.process_time()
        check_image(picture)
        used.append(time.process_time() - start)
    assert min(used) < 0.06

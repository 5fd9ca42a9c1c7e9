"""When a picture is refused, and when it only leaves a note."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from dicom_node.eligibility import EligibilityPolicy, Eligible, ReasonCode
from dicom_node.errors import ImageRefused
from dicom_node.image_check import ImageKind, ImageScores, ImageVerdict
from dicom_node.image_gate import ImageGate, require_processable, require_shown
from dicom_node.pixels import read_source
from models.phantom import render
from tests.dicom_node.factories import radiograph

VOUCHED = Eligible()
OPEN = Eligible((), frozenset({ReasonCode.VIEW_UNKNOWN}))
POLICY = EligibilityPolicy()
LENIENT = EligibilityPolicy(refuse_by_image=False)


def outcome(kind: ImageKind, verdict: Eligible, policy: EligibilityPolicy = POLICY) -> str:
    try:
        return ",".join(require_shown(ImageVerdict(kind, ImageScores()), verdict, policy))
    except ImageRefused as refused:
        return f"refused {refused.code}"


@pytest.mark.parametrize(
    ("kind", "vouched", "lenient", "asked"),
    [
        (ImageKind.FRONTAL_CHEST, "", "", "IMAGE_CONFIRMED"),
        (ImageKind.MIRRORED, "IMAGE_MIRRORED", "IMAGE_MIRRORED", "IMAGE_CONFIRMED,IMAGE_MIRRORED"),
        (ImageKind.UNSURE, "IMAGE_UNSURE", "IMAGE_UNSURE", "refused IMAGE_UNSURE"),
        (ImageKind.NOT_CHEST, "refused IMAGE_NOT_CHEST", "IMAGE_NOT_CHEST", "refused IMAGE_NOT_CHEST"),
        (ImageKind.LATERAL_CHEST, "refused IMAGE_NOT_FRONTAL", "IMAGE_NOT_FRONTAL", "refused IMAGE_NOT_FRONTAL"),
        (ImageKind.TURNED, "refused IMAGE_NOT_UPRIGHT", "IMAGE_NOT_UPRIGHT", "refused IMAGE_NOT_UPRIGHT"),
        (ImageKind.EMPTY_EXPOSURE, "refused IMAGE_EMPTY", "refused IMAGE_EMPTY", "refused IMAGE_EMPTY"),
        (
            ImageKind.INVERTED_POLARITY,
            "refused POLARITY_SUSPECT",
            "refused POLARITY_SUSPECT",
            "refused POLARITY_SUSPECT",
        ),
    ],
)
def test_what_the_picture_shows_decides(kind: ImageKind, vouched: str, lenient: str, asked: str) -> None:
    assert outcome(kind, VOUCHED) == vouched
    assert outcome(kind, VOUCHED, LENIENT) == lenient
    assert outcome(kind, OPEN) == asked
    assert outcome(kind, OPEN, LENIENT) == asked


def test_a_refusal_says_what_was_found_and_what_the_header_leaves_open() -> None:
    with pytest.raises(ImageRefused) as caught:
        require_shown(ImageVerdict(ImageKind.LATERAL_CHEST, ImageScores(lateral=0.9)), OPEN, POLICY)
    assert "found a picture of a chest from the side" in caught.value.message
    assert "VIEW_UNKNOWN" in caught.value.message


PHANTOM = render(1024, seed=3).radiograph


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (PHANTOM, ""),
        (1 - PHANTOM, "POLARITY_SUSPECT"),
        (np.rot90(PHANTOM), "IMAGE_NOT_UPRIGHT"),
        (np.random.default_rng(0).random((1024, 1024), np.float32), "IMAGE_EMPTY"),
    ],
    ids=["phantom", "inverted", "turned", "noise"],
)
def test_an_object_is_judged_by_its_own_pixels(picture: npt.NDArray[np.float32], code: str) -> None:
    source = read_source(radiograph(pixels=picture), check_polarity=False)
    try:
        assert require_processable(source, OPEN, POLICY) == ("IMAGE_CONFIRMED",)
        found = ""
    except ImageRefused as refused:
        found = refused.code
    assert found == code


def test_pixels_outside_the_collimator_say_nothing() -> None:
    framed = np.ones((1400, 1600), np.float32)
    framed[200:1224, 300:1324] = PHANTOM
    ds = radiograph(
        pixels=framed,
        CollimatorShape="RECTANGULAR",
        CollimatorUpperHorizontalEdge=200,
        CollimatorLowerHorizontalEdge=1225,
        CollimatorLeftVerticalEdge=300,
        CollimatorRightVerticalEdge=1325,
    )
    assert ImageGate(OPEN, POLICY).require_processable(read_source(ds, check_polarity=False)) == ("IMAGE_CONFIRMED",)

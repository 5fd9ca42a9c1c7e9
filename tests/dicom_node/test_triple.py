from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dicom_node.derived_images import derive_images
from dicom_node.errors import DerivationError
from dicom_node.pixels import read_source
from dicom_node.radiograph import RadiographKind
from dicom_node.secondary_capture import as_secondary_capture
from dicom_node.triple import check_triple
from tests.dicom_node.derivation import NOW, POLICY, PROVENANCE, all_images, small
from tests.dicom_node.factories import reread, small_radiograph


def triple(compression: str = "none") -> tuple[np.ndarray, Dataset, Dataset]:
    source = small()
    made = all_images(source, compression=compression)
    return read_source(source).stored, made["SOFT_TISSUE"].dataset, made["BONE"].dataset


def assert_broken(stored: np.ndarray, soft: Dataset, bone: Dataset, said: str) -> None:
    with pytest.raises(DerivationError, match=said) as caught:
        check_triple(stored, soft, bone)
    assert caught.value.code == "TRIPLE_BROKEN"


@settings(max_examples=40, deadline=None, phases=[Phase.generate])
@given(
    st.integers(0, 2**32 - 1),
    st.integers(10, 15),
    st.booleans(),
    st.sampled_from(["none", "jpeg-ls", "jpeg-2000"]),
    st.tuples(st.integers(0, 35), st.integers(0, 32)),
)
def test_any_soft_tissue_of_any_source_makes_a_whole_triple_and_one_changed_pixel_breaks_it(
    seed: int, bits: int, signed: bool, compression: str, pixel: tuple[int, int]
) -> None:
    lowest, highest = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    before, after = np.random.default_rng(seed).integers(lowest, highest + 1, (2, 36, 33), np.int32)
    before[0, :2] = lowest, highest
    source = small_radiograph(before, RadiographKind.CR, bits_stored=bits, signed=signed)
    image = read_source(source, check_polarity=False)
    wanted = frozenset({"SOFT_TISSUE", "BONE"})
    soft, bone = derive_images(source, image, after, None, PROVENANCE, POLICY, wanted, compression, NOW)
    check_triple(before, reread(soft.dataset), reread(bone.dataset))
    before[pixel] += 1
    assert_broken(before, soft.dataset, bone.dataset, "1 of 1188 pixels off")


@pytest.mark.parametrize("compression", ["none", "jpeg-ls", "jpeg-2000"])
def test_secondary_captures_are_a_triple_too(compression: str) -> None:
    stored, soft, bone = triple(compression)
    check_triple(stored, as_secondary_capture(soft), as_secondary_capture(bone))


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("StudyInstanceUID", "1.2.3"),
        ("ImagerPixelSpacing", ["0.31", "0.3"]),
        ("PatientOrientation", ["R", "F"]),
        ("PatientID", "another"),
        ("Rows", 61),
    ],
)
def test_two_grids_two_studies_or_two_patients_are_no_triple(keyword: str, value: object) -> None:
    stored, soft, bone = triple()
    setattr(bone, keyword, value)
    assert_broken(stored, soft, bone, keyword)


def test_another_offset_than_the_one_stated_is_found_out() -> None:
    stored, soft, bone = triple()
    other = deepcopy(bone)
    other.RealWorldValueMappingSequence[0].RealWorldValueIntercept = -16383.0
    assert_broken(stored, soft, other, "pixels off")
    del other.RealWorldValueMappingSequence
    assert_broken(stored, soft, other, "whole offset")


def test_pixels_that_cannot_be_decoded_are_no_triple() -> None:
    stored, soft, bone = triple()
    soft.PixelData = soft.PixelData[:100]
    assert_broken(stored, soft, bone, "PIXEL_DATA_TRUNCATED")


def test_a_source_of_another_size_is_no_triple() -> None:
    stored, soft, bone = triple()
    assert_broken(stored[:-1], soft, bone, "one grid")

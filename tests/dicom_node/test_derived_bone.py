from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dicom_node.derived_bone import derive_bone
from dicom_node.errors import DerivationError
from dicom_node.pixels import read_source, write_back
from dicom_node.radiograph import RadiographKind
from tests.dicom_node.derivation import KINDS, NOW, POLICY, PROVENANCE, SMALL, all_images, ribs, small
from tests.dicom_node.factories import dcentvfy_errors, dciodvfy_errors, lut_item, reread, small_radiograph

TABLE = np.arange(4096) * 16


def bone_of(source: object, residual: np.ndarray | None = None) -> object:
    return all_images(source, residual)["BONE"].dataset  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", [10, 14, 15, 16])
@pytest.mark.parametrize("monochrome1", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_bone_image_is_valid_and_on_the_grid_of_its_source(
    kind: RadiographKind, monochrome1: bool, bits: int, tmp_path: Path
) -> None:
    source = reread(small(kind, bits_stored=bits, monochrome1=monochrome1))
    made = all_images(source)
    soft, bone = made["SOFT_TISSUE"].dataset, made["BONE"].dataset
    assert dciodvfy_errors(bone, tmp_path) == []
    assert dcentvfy_errors([source, soft, bone], tmp_path) == []
    assert bone.SOPClassUID == soft.SOPClassUID
    assert list(bone.ImageType) == ["DERIVED", "SECONDARY", "", "BONE", "AI"]
    for keyword in ("Rows", "Columns", "ImagerPixelSpacing", "PatientOrientation", "StudyInstanceUID", "PatientID"):
        assert bone[keyword].value == source[keyword].value
    assert (bone.BitsStored, bone.HighBit, bone.PixelRepresentation) == (min(bits + 1, 16), min(bits, 15), 0)
    assert len({one.SeriesInstanceUID for one in (source, soft, bone)}) == 3
    assert len({one.SOPInstanceUID for one in (source, soft, bone)}) == 3
    assert (bone.SeriesNumber, soft.SeriesNumber) == (10001, 9001)
    assert f"{1 << (bone.BitsStored - 1)} + (original - soft tissue)" in bone.DerivationDescription
    assert bone.SeriesDescription == "Chest PA bone residual (AI) RESEARCH"


@pytest.mark.parametrize("voi", ["window", "falling LUT"])
@pytest.mark.parametrize("slope", [1, -1])
@pytest.mark.parametrize("monochrome1", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_bone_is_bright_on_a_dark_ground_whichever_way_the_source_is_stored(
    kind: RadiographKind, monochrome1: bool, slope: int, voi: str
) -> None:
    source = small(kind, bits_stored=12, monochrome1=monochrome1)
    if kind is RadiographKind.CR and slope == -1:
        source.RescaleSlope, source.RescaleIntercept, source.RescaleType = -1, 4095, "US"
    if kind is not RadiographKind.DX_FOR_PROCESSING and voi != "window":
        del source.WindowCenter, source.WindowWidth
        source.VOILUTSequence = [lut_item(TABLE[::-1], bits=16)]
    shown = read_source(bone_of(source), check_polarity=False)  # type: ignore[arg-type]
    taken = ribs()
    moved = read_source(source, check_polarity=False).display > 0.3  # elsewhere the range's end may hold
    assert np.corrcoef(shown.display[moved], taken[moved])[0, 1] > 0.99
    assert shown.display[taken == 0.0].max() < 0.25
    assert 0.8 < shown.display.max() < 1.2


def test_a_bone_image_of_no_bone_is_a_plain_dark_grey() -> None:
    bone = bone_of(small(), np.zeros(SMALL.shape, np.float32))
    assert np.unique(bone.pixel_array).tolist() == [1 << 14]  # type: ignore[attr-defined]


def test_nothing_that_speaks_of_the_sources_stored_values_is_carried_over() -> None:
    source = small(RadiographKind.CR, PixelPaddingValue=0, RescaleSlope=2, RescaleIntercept=5, RescaleType="US")
    source.PresentationLUTShape, source.VOILUTFunction = "IDENTITY", "SIGMOID"
    bone = bone_of(source)
    for keyword in ("PixelPaddingValue", "RescaleSlope", "PresentationLUTShape", "VOILUTFunction"):
        assert keyword not in bone  # type: ignore[operator]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_source_minus_soft_is_recovered_exactly_from_any_pixels(data: st.DataObject) -> None:
    bits, signed = data.draw(st.integers(10, 16)), data.draw(st.booleans())
    lowest = -(1 << (bits - 1)) if signed else 0
    pixels = arrays(np.int32, (3, 4), elements=st.integers(lowest, lowest + (1 << bits) - 1))
    before, after = data.draw(pixels), data.draw(pixels)
    before[0, :2] = lowest, lowest + 1  # two values at least: an image
    source = small_radiograph(before, RadiographKind.CR, bits_stored=bits, signed=signed)
    image = read_source(source, check_polarity=False)
    difference = before - after
    if not -(1 << 15) <= difference.min() <= difference.max() < 1 << 15:
        with pytest.raises(DerivationError) as caught:
            derive_bone(source, image, after, PROVENANCE, POLICY, NOW)
        assert caught.value.code == "BONE_DOES_NOT_FIT"
        return
    bone = reread(derive_bone(source, image, after, PROVENANCE, POLICY, NOW))
    mapping = bone.RealWorldValueMappingSequence[0]
    assert np.array_equal(bone.pixel_array + mapping.RealWorldValueIntercept, difference)
    assert mapping.RealWorldValueLastValueMapped == (1 << bone.BitsStored) - 1


def test_soft_tissue_of_another_shape_is_refused() -> None:
    source = small()
    with pytest.raises(DerivationError) as caught:
        derive_bone(source, read_source(source), np.zeros((2, 2), int), PROVENANCE, POLICY, NOW)
    assert caught.value.code == "PIXELS_DO_NOT_FIT"


def test_the_residual_is_what_was_really_taken_away_and_not_what_was_meant_to_be() -> None:
    source = small(PixelPaddingValue=0)
    image = read_source(source)
    soft = write_back(image, ribs(strength=0.9))  # more than the range can give up
    bone = derive_bone(source, image, soft, PROVENANCE, POLICY, NOW)
    assert np.array_equal(image.stored - soft, bone.pixel_array.astype(int) - (1 << 14))

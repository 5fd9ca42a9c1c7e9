from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import ComputedRadiographyImageStorage, SecondaryCaptureImageStorage

from dicom_node.eligibility import EligibilityPolicy, Eligible, judge
from dicom_node.errors import DerivationError
from dicom_node.pixels import read_source
from dicom_node.radiograph import RadiographKind
from dicom_node.secondary_capture import as_secondary_capture
from tests.dicom_node.derivation import KINDS, SMALL, all_images, small
from tests.dicom_node.factories import dcentvfy_errors, dciodvfy_errors, lut_item, reread, small_radiograph
from tests.validation.sources import CHARACTER_SETS, Case, source_of


@pytest.mark.parametrize("compression", ["none", "jpeg-ls"])
@pytest.mark.parametrize("bits", [10, 16])
@pytest.mark.parametrize("monochrome1", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_soft_tissue_and_bone_become_valid_secondary_captures_that_look_the_same(
    kind: RadiographKind, monochrome1: bool, bits: int, compression: str, tmp_path: Path
) -> None:
    source = reread(small(kind, bits_stored=bits, monochrome1=monochrome1))
    for name, image in all_images(source, compression=compression).items():
        if name == "SPREAD":
            continue
        derived = image.dataset
        before = derived.to_json()
        capture = reread(as_secondary_capture(derived))
        assert derived.to_json() == before
        assert dciodvfy_errors(capture, tmp_path) == []
        assert dcentvfy_errors([source, capture], tmp_path) == []
        assert capture.SOPClassUID == SecondaryCaptureImageStorage
        assert capture.file_meta.TransferSyntaxUID == derived.file_meta.TransferSyntaxUID
        assert (capture.BitsAllocated, capture.BitsStored) == (16, derived.BitsStored)
        assert capture.PixelData == derived.PixelData
        assert capture.PhotometricInterpretation == derived.PhotometricInterpretation
        capture.SOPClassUID = ComputedRadiographyImageStorage  # so that our reader takes it
        shown, expected = (read_source(one, check_polarity=False).display for one in (capture, reread(derived)))
        assert np.array_equal(shown, expected)
        for keyword in ("SourceImageSequence", "ReferencedSeriesSequence", "ImageType", "SeriesNumber", "Modality"):
            assert capture[keyword].value == derived[keyword].value


def test_a_lookup_table_and_a_rescale_go_along() -> None:
    source = small(RadiographKind.CR, bits_stored=12, RescaleSlope=2, RescaleIntercept=-4, RescaleType="US")
    del source.WindowCenter, source.WindowWidth
    source.VOILUTSequence = [lut_item(np.arange(8192) * 8, bits=16)]
    capture = as_secondary_capture(all_images(source)["SOFT_TISSUE"].dataset)
    assert (capture.RescaleSlope, capture.RescaleIntercept) == (2, -4)
    assert len(capture.VOILUTSequence[0].LUTData) == 16384


def test_signed_pixels_stay_signed(tmp_path: Path) -> None:
    values = np.rint(SMALL * 4095).astype(int) - 2048
    source = small_radiograph(values, bits_stored=12, signed=True, WindowCenter=0, WindowWidth=4096)
    capture = as_secondary_capture(all_images(source, SMALL * 0)["SOFT_TISSUE"].dataset)
    assert np.array_equal(reread(capture).pixel_array, values)
    assert dciodvfy_errors(capture, tmp_path) == []


@pytest.mark.parametrize("compression", ["none", "jpeg-ls", "jpeg-2000"])
@pytest.mark.parametrize("name", CHARACTER_SETS)
def test_text_keeps_its_bytes(name: str, compression: str, tmp_path: Path) -> None:
    source = source_of(Case("DX", False, 12, character_set=name), tmp_path)
    for derived in all_images(source, compression=compression).values():
        for one in (reread(derived.dataset), reread(as_secondary_capture(derived.dataset))):
            assert one.get_item("PatientName").value.rstrip(b" ") == CHARACTER_SETS[name][1]
            assert one.get_item("StudyDescription").value == source.get_item("StudyDescription").value
            request = one.RequestAttributesSequence[0].get_item("RequestedProcedureDescription")
            assert request.value.rstrip(b" ") == CHARACTER_SETS[name][2]


def test_its_uids_are_its_own_and_follow_from_the_derived_objects() -> None:
    derived = all_images(small())["SOFT_TISSUE"].dataset
    one, two = as_secondary_capture(derived), as_secondary_capture(derived)
    assert one == two
    assert one.SOPInstanceUID != derived.SOPInstanceUID
    assert one.SeriesInstanceUID != derived.SeriesInstanceUID
    assert one.StudyInstanceUID == derived.StudyInstanceUID
    assert one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID


def test_a_secondary_capture_is_one_already() -> None:
    capture = all_images(small(remove=("ImagerPixelSpacing",)))["SOFT_TISSUE"].dataset
    assert as_secondary_capture(capture) is capture


def test_what_hangs_and_measures_the_picture_stays_where_viewers_look_for_it() -> None:
    derived = all_images(small(ShutterShape="CIRCULAR", CenterOfCircularShutter=[30, 25], RadiusOfCircularShutter=20))
    capture = as_secondary_capture(derived["SOFT_TISSUE"].dataset)
    for keyword in ("ImagerPixelSpacing", "PatientOrientation", "ShutterShape", "RadiusOfCircularShutter"):
        assert capture[keyword].value == derived["SOFT_TISSUE"].dataset[keyword].value
    for keyword in ("PresentationIntentType", "PresentationLUTShape", "KVP", "DetectorType"):
        assert keyword not in capture


def test_anything_else_is_refused() -> None:
    source = small(SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
    with pytest.raises(DerivationError) as caught:
        as_secondary_capture(source)
    assert caught.value.code == "SOURCE_CLASS_NOT_SUPPORTED"


def test_the_gate_knows_it_for_our_own() -> None:
    capture = as_secondary_capture(all_images(small())["SOFT_TISSUE"].dataset)
    assert not isinstance(judge(capture, EligibilityPolicy(min_side=1)), Eligible)

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import SecondaryCaptureImageStorage

from dicom_node.compression import compressed
from dicom_node.derived import DerivedPolicy
from dicom_node.errors import DerivationError
from dicom_node.presentation_state import label_as_ai, label_text
from dicom_node.radiograph import RadiographKind
from tests.dicom_node.factories import dciodvfy_errors, lut_item, radiograph, reread
from tests.dicom_node.reports import NOW, POLICY, PROVENANCE, SMALL, soft_tissue_of, source_of, written


def label_of(source: Dataset, **policy: object) -> tuple[Dataset, Dataset]:
    made = DerivedPolicy(**policy)  # type: ignore[arg-type]
    soft_tissue = reread(soft_tissue_of(source, made))
    return soft_tissue, reread(label_as_ai(soft_tissue, PROVENANCE, made, NOW))


def test_it_names_the_model_in_one_line_along_the_lower_edge() -> None:
    _, state = label_of(source_of())
    (annotation,) = state.GraphicAnnotationSequence
    (line,) = annotation.TextObjectSequence
    assert line.UnformattedTextValue == "AI bone suppressed: bs-ldm-lite 1.2. Read with the original. RESEARCH"
    assert line.BoundingBoxAnnotationUnits == "DISPLAY"
    (left, top), (right, bottom) = line.BoundingBoxTopLeftHandCorner, line.BoundingBoxBottomRightHandCorner
    assert 0 <= left < right <= 1
    assert 0.95 < top < bottom <= 1
    (layer,) = state.GraphicLayerSequence
    assert annotation.GraphicLayer == layer.GraphicLayer


@pytest.mark.parametrize("monochrome1", [False, True], ids=["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize(("ground", "grey"), [(0.9, 0), (0.1, 0xFFFF)], ids=["abdomen", "air"])
def test_the_line_is_black_on_a_bright_ground_and_white_on_a_dark_one(
    ground: float, grey: int, monochrome1: bool
) -> None:
    pixels = SMALL.copy()
    pixels[-4:] = ground
    pixels[:, :4] = 1 - ground  # collimation at the side is not the line's ground
    source = reread(radiograph(pixels=pixels, monochrome1=monochrome1))
    _, state = label_of(source)
    assert state.GraphicLayerSequence[0].GraphicLayerRecommendedDisplayGrayscaleValue == grey


def test_an_image_whose_pixels_are_not_there_is_labelled_in_white() -> None:
    soft_tissue = soft_tissue_of(source_of())
    del soft_tissue.PixelData
    state = label_as_ai(soft_tissue, PROVENANCE, POLICY, NOW)
    assert state.GraphicLayerSequence[0].GraphicLayerRecommendedDisplayGrayscaleValue == 0xFFFF


def test_a_secondary_capture_or_a_compressed_image_is_labelled_like_any_other(tmp_path: Path) -> None:
    as_capture = soft_tissue_of(source_of(remove=("ImagerPixelSpacing",)))
    assert as_capture.SOPClassUID == SecondaryCaptureImageStorage
    state = label_as_ai(as_capture, PROVENANCE, POLICY, NOW)
    assert state.ReferencedSeriesSequence[0].ReferencedImageSequence[0].ReferencedSOPClassUID == as_capture.SOPClassUID
    assert "RESEARCH" in state.GraphicAnnotationSequence[0].TextObjectSequence[0].UnformattedTextValue
    assert dciodvfy_errors(state, tmp_path) == []
    plain = soft_tissue_of(source_of())
    expected = written(label_as_ai(plain, PROVENANCE, POLICY, NOW))
    assert written(label_as_ai(compressed(plain, "jpeg-ls"), PROVENANCE, POLICY, NOW)) == expected


def test_highdicom_would_write_the_same_line() -> None:
    _, state = label_of(source_of())
    line = state.GraphicAnnotationSequence[0].TextObjectSequence[0]
    theirs = hd.pr.TextObject(
        line.UnformattedTextValue,
        hd.pr.AnnotationUnitsValues.DISPLAY,
        bounding_box=(*line.BoundingBoxTopLeftHandCorner, *line.BoundingBoxBottomRightHandCorner),
    )
    for element in theirs:
        if element.keyword != "BoundingBoxTextHorizontalJustification":  # theirs is always LEFT
            assert line[element.keyword].value == pytest.approx(element.value)


@pytest.mark.parametrize(("qualification", "words"), [("PRODUCT", "original."), ("SERVICE", "original. SERVICE")])
def test_it_says_what_the_image_may_be_used_for(qualification: str, words: str) -> None:
    _, state = label_of(source_of(), content_qualification=qualification)
    assert state.GraphicAnnotationSequence[0].TextObjectSequence[0].UnformattedTextValue.endswith(words)


def test_a_name_that_is_not_ascii_is_still_a_line() -> None:
    assert label_text(type(PROVENANCE)(**{**vars(PROVENANCE), "model_name": "Öl\\é"}), "") == (
        "AI bone suppressed: ?l/? 1.2. Read with the original."
    )


def test_it_refers_to_the_soft_tissue_image_and_to_nothing_else() -> None:
    soft_tissue, state = label_of(source_of())
    (series,) = state.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == soft_tissue.SeriesInstanceUID
    (image,) = series.ReferencedImageSequence
    assert image.ReferencedSOPClassUID == soft_tissue.SOPClassUID
    assert image.ReferencedSOPInstanceUID == soft_tissue.SOPInstanceUID


def test_it_shows_the_whole_image_and_states_no_spacing_to_measure_with() -> None:
    _, state = label_of(source_of(ImagerPixelSpacing=[0.2, 0.1]))
    (area,) = state.DisplayedAreaSelectionSequence
    assert list(area.DisplayedAreaTopLeftHandCorner) == [1, 1]
    assert list(area.DisplayedAreaBottomRightHandCorner) == [50, 60]
    assert list(area.PresentationPixelAspectRatio) == [2000, 1000]
    assert "PresentationPixelSpacing" not in area


def test_of_several_windows_the_one_that_applies_is_kept_to_the_digit() -> None:
    source = source_of(
        RadiographKind.CR,
        WindowCenter=["100", "8191.123456789"],
        WindowWidth=["200", "9000.1"],
        WindowCenterWidthExplanation=["HARD", "NORMAL"],
    )
    _, state = label_of(source)
    (voi,) = state.SoftcopyVOILUTSequence
    assert (str(voi.WindowCenter), str(voi.WindowWidth)) == ("8191.123456789", "9000.1")


@pytest.mark.parametrize("function", ["SIGMOID", "LINEAR_EXACT"])
def test_the_function_of_the_window_is_kept(function: str) -> None:
    _, state = label_of(source_of(voi=function))
    assert state.SoftcopyVOILUTSequence[0].VOILUTFunction == function


def test_a_rescale_or_a_modality_lut_is_kept(tmp_path: Path) -> None:
    rescaled = source_of(RadiographKind.CR, RescaleSlope="0.5", RescaleIntercept="-10", RescaleType="US")
    _, state = label_of(rescaled)
    assert (state.RescaleSlope, state.RescaleIntercept) == (0.5, -10)
    table = lut_item(np.arange(1 << 14) * 4, bits=16)
    table.ModalityLUTType = "US"
    looked_up = source_of(RadiographKind.CR, ModalityLUTSequence=Sequence([table]))
    soft_tissue, state = label_of(looked_up)
    assert state.ModalityLUTSequence[0].LUTData == soft_tissue.ModalityLUTSequence[0].LUTData
    assert dciodvfy_errors(state, tmp_path) == []


def test_a_shutter_of_the_image_stays_shut(tmp_path: Path) -> None:
    source = source_of(
        ShutterShape="RECTANGULAR",
        ShutterLeftVerticalEdge=5,
        ShutterRightVerticalEdge=45,
        ShutterUpperHorizontalEdge=6,
        ShutterLowerHorizontalEdge=55,
    )
    _, state = label_of(source)
    assert state.ShutterShape == "RECTANGULAR"
    assert (state.ShutterLeftVerticalEdge, state.ShutterLowerHorizontalEdge) == (5, 55)
    assert state.ShutterPresentationValue == 0
    assert dciodvfy_errors(state, tmp_path) == []


def test_another_image_run_or_model_has_another_label() -> None:
    soft_tissue = soft_tissue_of(source_of())
    uid = label_as_ai(soft_tissue, PROVENANCE, POLICY, NOW).SOPInstanceUID
    soft_tissue.SOPInstanceUID = "1.2.3"
    assert label_as_ai(soft_tissue, PROVENANCE, POLICY, NOW).SOPInstanceUID != uid


def test_the_image_is_left_as_it_was() -> None:
    soft_tissue = soft_tissue_of(source_of(voi="lut"))
    before = written(soft_tissue)
    label_as_ai(soft_tissue, PROVENANCE, POLICY, NOW)
    assert written(soft_tissue) == before


def test_what_is_no_image_is_not_labelled() -> None:
    with pytest.raises(DerivationError) as caught:
        label_as_ai(Dataset(), PROVENANCE, POLICY, NOW)
    assert caught.value.code == "NO_IMAGE_TO_LABEL"


@pytest.mark.interop
@pytest.mark.parametrize("voi", ["window", "lut", "rescale"])
@pytest.mark.parametrize("monochrome1", [False, True], ids=["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("kind", [RadiographKind.DX, RadiographKind.CR])
def test_dcmtk_shows_the_image_under_the_label_as_it_shows_it_alone(
    kind: RadiographKind, monochrome1: bool, voi: str, tmp_path: Path
) -> None:
    if shutil.which("dcmp2pgm") is None:
        pytest.skip("DCMTK (dcmp2pgm) is not installed")
    if voi == "rescale":
        source = source_of(
            RadiographKind.CR,
            monochrome1=monochrome1,
            RescaleSlope="0.25",
            RescaleIntercept="-40",
            RescaleType="US",
            WindowCenter="1800",
            WindowWidth="2900",
        )
    else:
        source = source_of(kind, monochrome1=monochrome1, voi=voi)
        if voi == "window":
            source.WindowCenter, source.WindowWidth = 7000, 9000
    soft_tissue, state = label_of(reread(source))
    alone = _rendered(soft_tissue, None, tmp_path)
    assert np.array_equal(_rendered(soft_tissue, state, tmp_path), alone)
    assert alone.std() > 20  # a picture, not a grey field
    other = state.copy()
    other.PresentationLUTShape = "IDENTITY" if monochrome1 else "INVERSE"
    assert not np.array_equal(_rendered(soft_tissue, other, tmp_path), alone)


def _rendered(image: Dataset, state: Dataset | None, folder: Path) -> np.ndarray:
    pydicom.dcmwrite(folder / "image.dcm", image, enforce_file_format=True)
    options = []
    if state is not None:
        pydicom.dcmwrite(folder / "state.dcm", state, enforce_file_format=True)
        options = ["-p", str(folder / "state.dcm")]
    command = ["dcmp2pgm", *options, str(folder / "image.dcm"), str(folder / "shown.pgm")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    with Image.open(folder / "shown.pgm") as picture:
        return np.asarray(picture)

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_node.codes import CHEST
from dicom_node.derived_fitness import drop_what_is_unfit


def fit(**values: object) -> Dataset:
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    drop_what_is_unfit(ds)
    return ds


RECTANGLE: dict[str, object] = {
    "ShutterLeftVerticalEdge": 1,
    "ShutterRightVerticalEdge": 40,
    "ShutterUpperHorizontalEdge": 1,
    "ShutterLowerHorizontalEdge": 50,
}


def test_patient_and_study_are_left_as_they_are() -> None:
    ds = fit(PatientSex="unknown", StudyDate="yesterday", PatientName="", SpecificCharacterSet="nonsense")
    assert (ds.PatientSex, ds.StudyDate, ds.PatientName) == ("unknown", "yesterday", "")


def test_free_text_is_left_as_it_is() -> None:
    assert fit(ProtocolName="x" * 100).ProtocolName == "x" * 100


@pytest.mark.parametrize(
    ("keyword", "good", "bad"),
    [
        ("CassetteOrientation", "PORTRAIT", "UPRIGHT"),
        ("KVP", "120", ""),
        ("AcquisitionDate", "20240517", "20241301"),
        ("PatientOrientation", ["L", "F"], ["L", "L", "F"]),
        ("PatientOrientation", ["LH", "F"], ["LL", "F"]),
        ("ImagerPixelSpacing", ["0.3", "0.3"], ["0.3", "0"]),
        ("FieldOfViewDimensions", [400, 400], [0, 400]),
    ],
)
def test_a_value_that_is_not_allowed_is_left_behind(keyword: str, good: object, bad: object) -> None:
    assert keyword in fit(**{keyword: good})
    assert keyword not in fit(**{keyword: bad})


def test_a_shutter_is_whole_or_not_there() -> None:
    assert "ShutterShape" in fit(ShutterShape="RECTANGULAR", **RECTANGLE)
    assert len(fit(ShutterShape="CIRCULAR", **RECTANGLE)) == 0
    assert len(fit(**RECTANGLE)) == 0
    assert len(fit(ShutterShape=["RECTANGULAR", "CIRCULAR"], **RECTANGLE)) == 0


def test_what_only_stands_with_others_goes_with_them() -> None:
    assert len(fit(PixelSpacingCalibrationType="GEOMETRY", PixelSpacingCalibrationDescription="ball")) == 0
    assert len(fit(PixelSpacing=["0.3", "0.3"], PixelSpacingCalibrationType="GEOMETRY")) == 1
    assert len(fit(FieldOfViewOrigin=[0, 0], FieldOfViewRotation=90)) == 0
    assert len(fit(ClinicalTrialSeriesID="1")) == 0


def test_a_code_without_a_value_is_no_code() -> None:
    nothing = Dataset()
    nothing.CodeMeaning = "Chest"
    assert len(fit(AnatomicRegionSequence=Sequence([nothing, CHEST.item()])).AnatomicRegionSequence) == 1
    assert "AnatomicRegionSequence" not in fit(AnatomicRegionSequence=Sequence([nothing]))
    assert "AcquisitionContextSequence" not in fit(AcquisitionContextSequence=Sequence([nothing]))

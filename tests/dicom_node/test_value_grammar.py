from __future__ import annotations

import pytest

from dicom_node.value_grammar import obeys_its_vr


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("PatientAge", ("054Y",)),
        ("BodyPartExamined", ("CHEST",)),
        ("AcquisitionDate", ("20240229",)),
        ("AcquisitionTime", ("0930",)),
        ("AcquisitionTime", ("093012.250000",)),
        ("AcquisitionDateTime", ("20240517093012.25+0100",)),
        ("KVP", ("1.25e2",)),
        ("ExposureTime", ("-12",)),
        ("IrradiationEventUID", ("1.2.3", "2.25.12345678901234567890")),
        ("ImagerPixelSpacing", ("0.3", "0.3")),
        ("VerticesOfThePolygonalShutter", ("1", "1", "1", "9", "9", "9")),
        ("FilterMaterial", ("COPPER", "ALUMINUM")),
    ],
)
def test_what_the_standard_allows(keyword: str, values: tuple[str, ...]) -> None:
    assert obeys_its_vr(keyword, values)


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("PatientAge", ("54",)),
        ("BodyPartExamined", ("chest",)),
        ("BodyPartExamined", ("SEVENTEEN_LETTERS",)),
        ("AcquisitionDate", ("20230229",)),
        ("AcquisitionTime", ("2460",)),
        ("AcquisitionDateTime", ("20241301",)),
        ("KVP", ("1e999",)),
        ("KVP", ("0.33333333333333333",)),
        ("ExposureTime", ("99999999999",)),
        ("IrradiationEventUID", ("1.02.3",)),
        ("IrradiationEventUID", ("1.5",)),
        ("ImagerPixelSpacing", ("0.3",)),
        ("VerticesOfThePolygonalShutter", ("1", "1", "1")),
        ("KVP", ("1", "2")),
    ],
)
def test_what_it_does_not(keyword: str, values: tuple[str, ...]) -> None:
    assert not obeys_its_vr(keyword, values)

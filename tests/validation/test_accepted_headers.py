"""Whatever the gate accepts becomes valid derived objects, or ends in a coded error; nothing else is raised."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from dicom_node.derived_attributes import COPIED, PATIENT, STUDY
from dicom_node.element_copy import FREE_TEXT_VRS
from dicom_node.eligibility import EligibilityPolicy, Eligible, judge
from dicom_node.errors import DerivationError, PixelError
from dicom_node.radiograph import RadiographKind
from dicom_node.secondary_capture import as_secondary_capture
from tests.dicom_node.derivation import all_images, small
from tests.dicom_node.factories import lut_item
from tests.dicom_validation import complaints

NOT_COPIED = """
WindowCenter WindowWidth WindowCenterWidthExplanation VOILUTFunction RescaleSlope RescaleIntercept RescaleType
Laterality ImageLaterality SeriesNumber InstanceNumber ContentQualification Manufacturer DeviceUID StationName
DateOfLastCalibration SpatialResolution ImageType
"""
# Handed on as it is whatever it holds: the same in every object of a study, or free text, byte for byte.
AS_IN_THE_SOURCE = frozenset((PATIENT + STUDY).split()) | {"SpecificCharacterSet"}
WORDS = [one for one in (*COPIED, *NOT_COPIED.split()) if dictionary_VR(one) not in ("SQ", "OW")]
SEQUENCES = [one for one in COPIED if dictionary_VR(one) == "SQ"]
NUMBERS = ("US", "SS", "US or SS", "UL", "FD", "FL", "SL")

odd_values = st.one_of(
    st.sampled_from(
        ["", "\\", "CHEST\\PA", "\x00", "é", "9" * 30, "1e999", "nan", "-1", "0", "20241301", "1\\x", "YES"]
    ),
    st.sampled_from(["0.25", "0.33333333333333333333", "90", "-0", "L", "L\\F", "R\\F", "RECTANGULAR", "01", "AP"]),
    st.sampled_from(["20240229", "1259", "1.2.840", "1.5", "INVERSE", "SIGMOID", "linear", "DERIVED\\PRIMARY", "LIN"]),
    st.text(max_size=70),
)
odd_items = st.dictionaries(
    st.sampled_from(["CodeValue", "CodingSchemeDesignator", "CodeMeaning", "ScheduledProcedureStepID", "Manufacturer"]),
    st.sampled_from(["", "816094009", "SCT", "Chest", "é"]),
    max_size=4,
)
headers = st.tuples(
    st.dictionaries(st.sampled_from(WORDS), odd_values, max_size=6),
    st.lists(st.sampled_from([*WORDS, *SEQUENCES]), max_size=4),
    st.dictionaries(st.sampled_from(SEQUENCES), st.lists(odd_items, max_size=2), max_size=2),
    st.sampled_from(list(RadiographKind)),
    st.sampled_from([None, "ISO_IR 100", "ISO_IR 192", "ISO 2022 IR 87", "nonsense"]),
    st.booleans(),
)


def source_of(header: tuple[object, ...]) -> Dataset:
    values, absent, sequences, kind, character_set, with_lut = header
    source = small(kind)  # type: ignore[arg-type]
    if character_set is not None:
        source.SpecificCharacterSet = character_set
    if with_lut:
        source.VOILUTSequence = Sequence([lut_item(np.arange(1 << 14) * 4, bits=16)])
    for keyword in absent:  # type: ignore[attr-defined]
        source._dict.pop(Tag(keyword), None)
    for keyword, value in values.items():  # type: ignore[attr-defined]
        tag, vr, encoded = Tag(keyword), dictionary_VR(keyword), value.encode("utf-8", "replace")
        if vr in NUMBERS:
            source[tag] = DataElement(tag, "US", crc32(encoded) % 65536)
        else:
            encoded += b" " * (len(encoded) % 2)
            source[tag] = RawDataElement(tag, vr, len(encoded), encoded, 0, False, True)
    for keyword, item_values in sequences.items():  # type: ignore[attr-defined]
        setattr(source, keyword, Sequence([_item(one) for one in item_values]))
    source.set_original_encoding(False, True, source._character_set)
    return source


def _item(values: dict[str, str]) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def faults_of(ds: Dataset, path: Path) -> set[str]:
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return {line for line in complaints("dciodvfy", "-new", str(path)) if line.startswith("Error")}


def is_as_in_the_source(line: str) -> bool:
    keyword = line.split("<", 1)[1].split("(")[0].removeprefix("/")
    last = line.split(">")[0].rsplit("/", 1)[1].split("(")[0]
    in_patient = "Module=<Patient>" in line  # what the patient's attributes demand of each other
    return in_patient or keyword in AS_IN_THE_SOURCE or _is_free_text(keyword) or _is_free_text(last)


def _is_free_text(keyword: str) -> bool:
    return keyword != "" and dictionary_VR(keyword) in FREE_TEXT_VRS


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(headers)
def test_whatever_the_gate_accepts_becomes_valid_objects_or_a_coded_error(
    tmp_path_factory: pytest.TempPathFactory, header: tuple[object, ...]
) -> None:
    source = source_of(header)
    if not isinstance(judge(source, EligibilityPolicy(min_side=1, min_age_years=0)), Eligible):
        return
    try:
        made = all_images(source)
    except (PixelError, DerivationError) as error:
        event(error.code)
        return
    event("derived")
    path = tmp_path_factory.getbasetemp() / "accepted.dcm"
    derived = [one.dataset for one in made.values()]
    for one in [*derived, as_secondary_capture(derived[0])]:
        assert [line for line in faults_of(one, path) if not is_as_in_the_source(line)] == []

"""Whatever the header, the gate ends in a verdict with a code; nothing raises."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary, keyword_dict
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicom_node.eligibility import EligibilityPolicy, ReasonCode, Unknown
from dicom_node.errors import ImageRefusal, PixelErrorCode
from dicom_node.gate_explanation import PROCESSED, explain
from dicom_node.radiograph import RadiographKind
from models.phantom import render
from tests.dicom_node.factories import radiograph, reread
from tests.dicom_node.test_eligibility import GATE_KEYWORDS

CODES = {*ReasonCode, *PixelErrorCode, *ImageRefusal, PROCESSED}
PIXEL_KEYWORDS = [
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "RescaleSlope", "RescaleIntercept", "PresentationLUTShape"),
    *("PixelIntensityRelationship", "PixelIntensityRelationshipSign", "PixelPaddingValue", "ShutterShape"),
    *("CollimatorShape", "ShutterLeftVerticalEdge", "CollimatorUpperHorizontalEdge", "PixelPaddingRangeLimit"),
    *("DerivationDescription", "DerivationCodeSequence", "PatientSex", "PatientName"),
]
KEYWORDS = [*GATE_KEYWORDS, *PIXEL_KEYWORDS]
SMALL = np.asarray(render(256, seed=1).radiograph[::2, ::2], np.float32)
POLICY = EligibilityPolicy(min_side=64)
VRS = ["CS", "LO", "UI", "DS", "IS", "US", "SS", "SQ", "PN", "AS", "DA", "OB", "UN", "FD", "AT"]


def raw_element(keyword: str, vr: str, value: bytes) -> RawDataElement:
    return RawDataElement(Tag(keyword), vr, len(value), value, 0, False, True)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(list(RadiographKind)),
    removed=st.sets(st.sampled_from([*KEYWORDS, "PixelData"]), max_size=8),
    garbage=st.dictionaries(
        st.sampled_from(KEYWORDS), st.tuples(st.sampled_from([None, *VRS]), st.binary(max_size=24)), max_size=6
    ),
    unknown=st.sampled_from(list(Unknown)),
)
def test_any_header_gets_a_verdict_with_a_code(
    kind: RadiographKind, removed: set[str], garbage: dict[str, tuple[str | None, bytes]], unknown: Unknown
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = reread(radiograph(kind, pixels=SMALL, remove=tuple(removed)))
        for keyword, (vr, value) in garbage.items():
            stated = vr or DicomDictionary[keyword_dict[keyword]][0]
            ds._dict[Tag(keyword)] = raw_element(keyword, stated, value)
        explanation = explain(ds, EligibilityPolicy(min_side=64, unknown=unknown))
    assert explanation.code in CODES
    assert explanation.detail


@pytest.mark.parametrize("kind", list(RadiographKind))
def test_an_ordinary_radiograph_is_processed(kind: RadiographKind) -> None:
    explanation = explain(radiograph(kind, pixels=SMALL), POLICY)
    assert explanation.code == PROCESSED
    assert explanation.open_questions == ()
    assert explanation.image is not None


def test_pixels_that_cannot_be_read_refuse_what_the_header_allows() -> None:
    ds = radiograph(pixels=SMALL)
    ds.PixelData = ds.PixelData[:100]
    explanation = explain(ds, POLICY)
    assert explanation.code == PixelErrorCode.PIXEL_DATA_TRUNCATED
    assert explanation.unseen.startswith("PIXEL_DATA_TRUNCATED")


def test_an_empty_data_set_has_a_verdict() -> None:
    assert explain(Dataset(), POLICY).code == ReasonCode.IDENTIFIER_MISSING

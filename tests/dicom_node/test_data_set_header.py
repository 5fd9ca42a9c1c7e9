"""Headers read from data sets as sent: what is refused, with which status, and that nothing else is raised."""

from __future__ import annotations

import contextlib
import struct
import zlib
from io import BytesIO

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
)

from dicom_node.data_set_header import read_header
from dicom_node.errors import RefusedObject
from tests.dicom_node.factories import radiograph
from tests.dicom_node.running_node import as_received, dataset_only, encoded

# pydicom quotes the values it doubts.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

SMALL = np.zeros((16, 16), np.float32)


def small(**overrides: object) -> Dataset:
    return radiograph(pixels=SMALL, **overrides)  # type: ignore[arg-type]


def refusal(data_set: bytes, dataset: Dataset | None = None, **changes: object) -> RefusedObject:
    with pytest.raises(RefusedObject) as caught:
        read_header(as_received(dataset or small(), data_set, **changes))
    return caught.value


def test_a_header_holds_everything_but_the_pixels() -> None:
    dataset = small()
    header = read_header(as_received(dataset))
    assert header.study_instance_uid == dataset.StudyInstanceUID
    assert header.series_instance_uid == dataset.SeriesInstanceUID
    assert header.sop_instance_uid == dataset.SOPInstanceUID
    assert header.modality == "DX"
    assert header.has_pixels
    assert "PixelData" not in header.elements
    assert header.elements.Rows == 16


def test_the_other_encodings_are_read_alike() -> None:
    dataset = small()
    implicit = as_received(dataset, encoded(dataset, implicit=True), transfer_syntax_uid=ImplicitVRLittleEndian)
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset_only(dataset), implicit_vr=False, little_endian=False, force_encoding=True)
    big = as_received(dataset, buffer.getvalue(), transfer_syntax_uid=ExplicitVRBigEndian)
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = deflater.compress(encoded(dataset)) + deflater.flush()
    small_file = as_received(dataset, deflated, transfer_syntax_uid=DeflatedExplicitVRLittleEndian)
    for received in (implicit, big, small_file):
        header = read_header(received)
        assert (header.study_instance_uid, header.has_pixels) == (dataset.StudyInstanceUID, True)
        assert header.elements.Rows == 16


def test_empty_pixel_data_and_none_are_noticed_not_refused() -> None:
    empty = small()
    empty.PixelData = b""
    assert not read_header(as_received(empty)).has_pixels
    assert not read_header(as_received(small(remove=("PixelData",)))).has_pixels


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"])
@pytest.mark.parametrize("empty", [True, False])
def test_a_missing_uid_is_cannot_understand(keyword: str, empty: bool) -> None:
    whole = small()
    broken = dataset_only(whole)
    if empty:
        setattr(broken, keyword, "")
    else:
        delattr(broken, keyword)
    refused = refusal(encoded(broken), whole)
    assert (refused.code, refused.dimse_status) == ("UID_MISSING", 0xC000)
    assert keyword in str(refused)


def test_a_uid_that_is_none_is_cannot_understand() -> None:
    whole = small()
    broken = dataset_only(whole)
    broken.StudyInstanceUID = "1.2.3"
    data_set = encoded(broken).replace(b"1.2.3\0", b"../../")
    assert refusal(data_set, whole).code == "UID_INVALID"


def test_patient_id_may_be_empty_but_not_absent() -> None:
    assert read_header(as_received(small(PatientID=""))).has_pixels
    assert refusal(encoded(small(remove=("PatientID",)))).code == "PATIENT_ID_MISSING"


def test_another_sop_class_than_negotiated_is_a_mismatch() -> None:
    dataset = small()
    refused = refusal(encoded(dataset), dataset, sop_class_uid=ComputedRadiographyImageStorage)
    assert (refused.code, refused.dimse_status) == ("SOP_CLASS_MISMATCH", 0xA900)


def test_another_instance_than_the_command_names_is_cannot_understand() -> None:
    dataset = small()
    assert refusal(encoded(dataset), dataset, sop_instance_uid="1.2.3").code == "SOP_INSTANCE_MISMATCH"


def test_pixels_that_broke_off_are_truncated() -> None:
    dataset = small()
    refused = refusal(encoded(dataset)[:-100], dataset)
    assert (refused.code, refused.dimse_status) == ("DATA_SET_TRUNCATED", 0xC000)
    assert str(refused) == "expected 512 bytes of Pixel Data, found 412"


@pytest.mark.parametrize(
    "in_front",
    [
        b"\xe0\x7f\x00\x00UL\x04\x00" + struct.pack("<L", 524),
        b"\xe0\x7f\x01\x00OV\x00\x00" + struct.pack("<L", 8) + bytes(8),
    ],
    ids=["group length", "extended offset table"],
)
def test_pixels_are_found_behind_other_elements_of_their_group(in_front: bytes) -> None:
    whole = encoded(small())
    at = whole.rindex(b"\xe0\x7f\x10\x00")
    sent = whole[:at] + in_front + whole[at:]
    header = read_header(as_received(small(), sent))
    assert header.has_pixels
    assert "PixelData" not in header.elements
    assert refusal(sent[:-100]).code == "DATA_SET_TRUNCATED"


def test_fragments_that_broke_off_are_truncated() -> None:
    dataset = small()
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset)
    start = buffer.getvalue().index(struct.pack("<HH", 0x0008, 0x0008) + b"CS")
    whole = buffer.getvalue()[start:]
    assert read_header(as_received(dataset, whole, transfer_syntax_uid=JPEGLSLossless)).has_pixels
    for cut in (1, 8, 20, 60):
        assert refusal(whole[:-cut], dataset, transfer_syntax_uid=JPEGLSLossless).code == "DATA_SET_TRUNCATED"


def test_a_deflated_data_set_that_broke_off_is_truncated() -> None:
    dataset = small()
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = deflater.compress(encoded(dataset)) + deflater.flush()
    refused = refusal(deflated[:-20], dataset, transfer_syntax_uid=DeflatedExplicitVRLittleEndian)
    assert refused.code == "DATA_SET_TRUNCATED"


def test_a_deflated_data_set_does_not_unfold_without_end() -> None:
    dataset = small()
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = deflater.compress(encoded(dataset) + b"\0" * (64 << 20)) + deflater.flush()
    assert read_header(as_received(dataset, bomb, transfer_syntax_uid=DeflatedExplicitVRLittleEndian)).has_pixels


def nested(depth: int, *, undefined_length: bool) -> Dataset:
    dataset = small()
    inner = Dataset()
    inner.ReferencedSOPInstanceUID = "1.2"
    for _ in range(depth):
        outer = Dataset()
        outer.ReferencedSeriesSequence = Sequence([inner])
        outer["ReferencedSeriesSequence"].is_undefined_length = undefined_length
        inner.is_undefined_length_sequence_item = undefined_length
        inner = outer
    dataset.update(inner)
    return dataset


@pytest.mark.parametrize("undefined_length", [True, False])
def test_sequences_nested_beyond_reason_are_refused(undefined_length: bool) -> None:
    assert read_header(as_received(nested(12, undefined_length=undefined_length))).has_pixels
    refused = refusal(encoded(nested(40, undefined_length=undefined_length)))
    assert (refused.code, refused.dimse_status) == ("SEQUENCE_TOO_DEEP", 0xC000)


def test_a_bottomless_sequence_is_refused() -> None:
    level = struct.pack("<HH2sHLHHL", 0x0008, 0x1115, b"SQ", 0, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
    refused = refusal(level * 100_000)
    assert refused.dimse_status == 0xC000


def test_a_png_sent_as_a_data_set_is_unreadable() -> None:
    picture = BytesIO()
    Image.new("L", (64, 64)).save(picture, "PNG")
    refused = refusal(picture.getvalue())
    assert (refused.code, refused.dimse_status) == ("DATA_SET_UNREADABLE", 0xC000)


def test_an_empty_data_set_is_unreadable() -> None:
    assert refusal(b"").code == "DATA_SET_UNREADABLE"


def test_a_refusal_quotes_no_value() -> None:
    dataset = small(PatientName="Doe^Jane", PatientID="SECRET-ID")
    whole = encoded(dataset)
    messages = []
    for cut in range(8, len(whole), 7):
        try:
            read_header(as_received(dataset, whole[:cut]))
        except RefusedObject as refused:
            messages.append(str(refused))
    assert len(messages) > 100
    assert not any("Jane" in message or "SECRET" in message for message in messages)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"]))
def test_garbage_is_refused_and_raises_nothing_else(garbage: bytes, syntax: str) -> None:
    with pytest.raises(RefusedObject):
        read_header(as_received(small(), garbage, transfer_syntax_uid=pydicom.uid.UID(syntax)))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_data_set_with_bytes_changed_is_read_or_refused(data: st.DataObject) -> None:
    dataset = small()
    damaged = bytearray(encoded(dataset))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(RefusedObject):
        read_header(as_received(dataset, bytes(damaged)))

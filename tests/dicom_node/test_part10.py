"""A DICOM file as the instance it holds, and files that hold none."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import UID, ImplicitVRLittleEndian

from dicom_node.errors import RefusedObject
from dicom_node.part10 import HEAD_BYTES, read_file_head
from dicom_node.received_instance import ReceivedInstance
from tests.dicom_node.factories import radiograph
from tests.dicom_node.running_node import as_received, encoded
from tests.dicom_node.running_stow import file_with

DATASET = radiograph()
RECEIVED = as_received(DATASET)
FILE = file_with(RECEIVED)
META_END = len(FILE) - len(RECEIVED.data_set)


def received_from_file(file: bytes | bytearray, calling_ae_title: str) -> ReceivedInstance:
    head = read_file_head(file[:HEAD_BYTES])
    uids = map(UID, (head.sop_class_uid, head.sop_instance_uid, head.transfer_syntax_uid))
    return ReceivedInstance(*uids, calling_ae_title, bytes(file[head.size_bytes :]))


def test_the_file_gives_the_instance_that_was_received_before() -> None:
    assert received_from_file(FILE, "MODALITY") == RECEIVED
    assert received_from_file(bytearray(FILE), "MODALITY") == RECEIVED


def test_the_preamble_may_be_missing_and_so_may_the_length_of_the_group() -> None:
    assert received_from_file(FILE[132:], "MODALITY") == RECEIVED
    assert received_from_file(FILE[:132] + FILE[144:], "MODALITY") == RECEIVED
    assert received_from_file(FILE[144:], "MODALITY") == RECEIVED


def test_a_data_set_in_implicit_vr_starts_where_it_starts() -> None:
    received = as_received(DATASET, encoded(DATASET, implicit=True), transfer_syntax_uid=ImplicitVRLittleEndian)
    file = file_with(received)
    assert received_from_file(file, "MODALITY") == received
    assert received_from_file(file[:132] + file[144:], "MODALITY") == received


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"DICM",
        b"\0" * 128 + b"DICM",
        b"%PDF-1.7" + b"x" * 1000,
        FILE[:140],
        FILE[:200],
        FILE[:140] + b"\xff\xff\xff\x7f" + FILE[144:],
        FILE[:META_END].replace(b"\x02\x00\x10\x00", b"\x02\x00\x11\x00"),
    ],
)
def test_what_is_no_file_is_refused(file: bytes) -> None:
    with pytest.raises(RefusedObject) as caught:
        received_from_file(file, "MODALITY")
    assert (caught.value.code, caught.value.dimse_status) == ("NOT_A_DICOM_FILE", 0xC000)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=300, deadline=None)
@given(
    place=st.integers(0, META_END - 1),
    bytes_=st.binary(min_size=1, max_size=8),
    cut=st.one_of(st.none(), st.integers(0, META_END)),
)
def test_damaged_meta_information_is_refused_or_read_and_nothing_else(
    place: int, bytes_: bytes, cut: int | None
) -> None:
    damaged = FILE[:place] + bytes_ + FILE[place + len(bytes_) :]
    with suppress(RefusedObject):
        received = received_from_file(damaged[:cut], "MODALITY")
        assert received.file_parts()[1] == damaged[len(damaged) - len(received.data_set) :]

"""The file that keeps a received instance."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pydicom

from dicom_node.uids import IMPLEMENTATION_CLASS_UID
from tests.dicom_node.factories import radiograph
from tests.dicom_node.running_node import as_received

SMALL = np.zeros((16, 16), np.float32)


def test_the_file_ends_with_the_data_set_as_received() -> None:
    received = as_received(radiograph(pixels=SMALL))
    head, data_set = received.file_parts()
    assert data_set is received.data_set
    assert head[128:132] == b"DICM"


def test_the_file_is_a_dicom_file_of_the_transfer_syntax_received() -> None:
    received = as_received(radiograph(pixels=SMALL))
    file = pydicom.dcmread(BytesIO(b"".join(received.file_parts())))
    assert file.file_meta.TransferSyntaxUID == received.transfer_syntax_uid
    assert file.file_meta.MediaStorageSOPInstanceUID == file.SOPInstanceUID == received.sop_instance_uid
    assert file.file_meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert file.file_meta.FileMetaInformationGroupLength > 0


def test_an_instance_gives_the_same_file_whoever_sends_it() -> None:
    dataset = radiograph(pixels=SMALL)
    first, second = as_received(dataset), as_received(dataset, calling_ae_title="OTHER")
    assert first.file_parts() == second.file_parts()
    assert first.file_sha256() == second.file_sha256()

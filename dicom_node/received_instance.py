"""One instance as it came over the association: encoded bytes, and the file that keeps them (PS3.10 §7).

The data set stays byte for byte as the sender encoded it. In front of it go the preamble and the File Meta Information,
which depend on the data set's identity alone: sent twice, an instance gives the same file, whoever sends it and
whichever release of softray receives it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from dicom_node.uids import IMPLEMENTATION_CLASS_UID
from dicom_node.urgency import NO_COMMAND, CommandFacts
from service.arriving_file import ArrivingFile


@dataclass(frozen=True)
class ReceivedInstance:
    """A C-STORE-RQ: what its command says, and its data set as encoded by the sender in `transfer_syntax_uid`.

    `file` is set where the data set was written into the store as it came, head included; `data_set` is a view of it.
    `command`: what else the C-STORE-RQ said.
    """

    sop_class_uid: UID
    sop_instance_uid: UID
    transfer_syntax_uid: UID
    calling_ae_title: str
    data_set: bytes | memoryview
    file: ArrivingFile | None = None
    command: CommandFacts = NO_COMMAND
    caller_host: str = ""
    """The address that it came from, for the audit trail; "": not known."""

    def file_parts(self) -> tuple[bytes, bytes | memoryview]:
        """The DICOM file in two parts, so that the pixels are not copied: head, and data set as received."""
        return file_head(self.sop_class_uid, self.sop_instance_uid, self.transfer_syntax_uid), self.data_set

    def file_sha256(self) -> str:
        """SHA-256 of that file, in hexadecimal digits."""
        if self.file is not None:
            return self.file.sha256
        digest = hashlib.sha256()
        for part in self.file_parts():
            digest.update(part)
        return digest.hexdigest()


def file_head(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Preamble and File Meta Information; no two transmissions of an instance differ in it."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    # No Implementation Version Name and no Source AE Title: the same instance must give the same file.
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    head = DicomBytesIO()
    head.write(b"\x00" * 128 + b"DICM")
    write_file_meta_info(head, meta, enforce_standard=True)
    return head.getvalue()

"""The head of a DICOM file that comes over the web (PS3.10 §7.1): which instance follows, and where it begins.

The data set stays byte for byte what was sent. The sender's file meta information says which instance it is and how it
is encoded, and is then left behind: the file that is kept gets our own, as after a C-STORE.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from dicom_node.errors import RefusedObject
from dicom_node.status import CANNOT_UNDERSTAND

MAX_META_BYTES = 64 * 1024
_PREAMBLE_BYTES = 132  # 128 bytes and "DICM"
_GROUP_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"  # (0002,0000), whose value says how long the rest of the group is

_GROUP_VERSION = b"\x02\x00\x01\x00OB"
_UID_FORM = re.compile(r"[0-9.]{1,64}")
HEAD_BYTES = _PREAMBLE_BYTES + MAX_META_BYTES


@dataclass(frozen=True)
class FileHead:
    """What the file meta information says, and how many bytes it takes with the preamble before it."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    size_bytes: int


def read_file_head(file: bytes | bytearray) -> FileHead:
    """The head of the file that begins with `file`, HEAD_BYTES of it or all. Raises RefusedObject (0xC000) for none.

    A file without its preamble, or the length of group 0002, is taken as well: dicomweb-client writes such for a data
    set made in memory.
    """
    if file[_PREAMBLE_BYTES - 4 : _PREAMBLE_BYTES] == b"DICM":
        meta_start = _PREAMBLE_BYTES
    elif file.startswith((_GROUP_LENGTH, _GROUP_VERSION)):
        meta_start = 0
    else:
        raise _refused("expected a DICOM file, found other content")
    try:
        meta, meta_bytes = _file_meta(bytes(file[meta_start : meta_start + MAX_META_BYTES]))
        uids = [
            str(meta.get(keyword) or "")
            for keyword in ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID")
        ]
    except Exception as error:
        # pydicom raises whatever its parsing ran into; the type tells, the message may quote values.
        raise _refused(f"expected file meta information, found {type(error).__name__}") from None
    if not all(_UID_FORM.fullmatch(uid) for uid in uids):
        raise _refused("expected SOP Class, SOP Instance and Transfer Syntax UID in the file meta information")
    return FileHead(uids[0], uids[1], uids[2], meta_start + meta_bytes)


def _file_meta(head: bytes) -> tuple[Dataset, int]:
    """Group 0002 at the start of `head`, and its length in bytes."""
    if head.startswith(_GROUP_LENGTH):
        length = 12 + int.from_bytes(head[8:12], "little")
        if length > len(head):
            raise EOFError
        return read_dataset(BytesIO(head[:length]), False, True), length
    fp = BytesIO(head)  # the group's length is required, and yet left out by some

    def at_data_set(tag: BaseTag, _vr: str | None, _length: int) -> bool:
        return tag.group != 2

    meta = read_dataset(fp, False, True, stop_when=at_data_set)
    return meta, fp.tell()


def _refused(message: str) -> RefusedObject:
    return RefusedObject("NOT_A_DICOM_FILE", message, CANNOT_UNDERSTAND)

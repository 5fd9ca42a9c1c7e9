"""The part of a received data set before its pixels, read without touching them, and what must be true of it.

A data set that cannot be read, was cut off, or does not say which instance of which Study it is, is refused here with
the status of PS3.4 Table B.2-1. Pixels are never decoded: only the extent of Pixel Data (7FE0,0010) is compared with
the bytes that came (PS3.5 §7.1 and §A.4), so that a transmission that broke off is not acknowledged.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, cast

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from dicom_node.errors import RefusedObject
from dicom_node.memory_reader import MemoryReader
from dicom_node.received_instance import ReceivedInstance
from dicom_node.status import CANNOT_UNDERSTAND, DATA_SET_MISMATCH

MAX_SEQUENCE_DEPTH = 16  # CR and DX objects nest three or four deep
MAX_INFLATED_HEADER = 32 * 1024 * 1024  # bytes; a deflated data set must not unfold without end
PIXEL_DATA = 0x7FE00010
UNDEFINED_LENGTH = 0xFFFFFFFF
_LONG_LENGTH_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_UID_FORM = re.compile(r"[0-9.]{1,64}")  # leading zeros and the like occur in the field and harm nobody
_MODALITY_FORM = re.compile(r"[A-Z0-9 _]{1,16}")


@dataclass(frozen=True)
class DataSetHeader:
    """Everything before Pixel Data, and the identity of the instance; `has_pixels` is False for an empty value."""

    elements: Dataset
    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    modality: str | None
    has_pixels: bool


def read_header(received: ReceivedInstance) -> DataSetHeader:
    """Read the header of `received`. Raises RefusedObject (0xC000, 0xA900) and nothing else."""
    try:
        return _read(received)
    except RefusedObject:
        raise
    except RecursionError:
        raise _too_deep() from None
    except Exception as error:
        # pydicom raises whatever its parsing ran into; the type tells, the message may quote values.
        raise _refused("DATA_SET_UNREADABLE", f"expected a DICOM data set, found {type(error).__name__}") from None


def _read(received: ReceivedInstance) -> DataSetHeader:
    encoded, complete = _inflated(received)
    syntax = received.transfer_syntax_uid
    fp = MemoryReader(encoded)
    pixels: list[tuple[str | None, int]] = []

    def at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
        # In front of it the group may hold its length (retired, still sent) and the Extended Offset Table.
        if tag < PIXEL_DATA:
            return False
        pixels[:] = [(vr, length)] if tag == PIXEL_DATA else []
        return True

    elements = read_dataset(cast(BinaryIO, fp), syntax.is_implicit_VR, syntax.is_little_endian, stop_when=at_pixels)
    if "SOPClassUID" not in elements and "SOPInstanceUID" not in elements:
        raise _refused("DATA_SET_UNREADABLE", "expected a DICOM data set, found other content")
    _require_whole_elements(elements, len(encoded))
    _require_flat(elements)
    if complete and pixels:
        _require_whole_pixels(encoded, fp.tell(), *pixels[0], little_endian=syntax.is_little_endian)
    header = DataSetHeader(
        elements,
        study_instance_uid=_uid(elements, "StudyInstanceUID"),
        series_instance_uid=_uid(elements, "SeriesInstanceUID"),
        sop_class_uid=_uid(elements, "SOPClassUID"),
        sop_instance_uid=_uid(elements, "SOPInstanceUID"),
        modality=_modality(elements),
        has_pixels=bool(pixels) and pixels[0][1] > 0,
    )
    _require_same_instance(header, received)
    return header


def _inflated(received: ReceivedInstance) -> tuple[bytes | memoryview, bool]:
    if received.transfer_syntax_uid != DeflatedExplicitVRLittleEndian:
        return received.data_set, True
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(received.data_set, MAX_INFLATED_HEADER)
    if not inflater.eof and not inflater.unconsumed_tail and len(inflated) < MAX_INFLATED_HEADER:
        raise _refused("DATA_SET_TRUNCATED", "expected the end of the deflated data set, found none")
    return inflated, inflater.eof


def _require_whole_elements(elements: Dataset, size: int) -> None:
    *_, last = elements.values()
    if not isinstance(last, RawDataElement) or last.length == UNDEFINED_LENGTH:
        return
    end = last.value_tell + last.length
    if end > size or 0 < size - end < 8:  # a further element has at least a tag and a length
        raise _refused("DATA_SET_TRUNCATED", f"expected {last.tag} to end at byte {end}, found {size} bytes")


def _require_flat(elements: Dataset, depth: int = 0) -> None:
    if depth > MAX_SEQUENCE_DEPTH:
        raise _too_deep()
    for tag, element in list(elements.items()):
        if _is_sequence(tag, element.VR):
            for item in elements[tag].value or ():
                _require_flat(item, depth + 1)


def _is_sequence(tag: BaseTag, vr: str | None) -> bool:
    if vr in (None, "UN") and not tag.is_private:
        try:
            return dictionary_VR(tag) == "SQ"
        except KeyError:
            return False
    return vr == "SQ"


def _require_whole_pixels(
    encoded: bytes | memoryview, offset: int, vr: str | None, length: int, *, little_endian: bool
) -> None:
    """`offset` is that of the element's tag (PS3.5 §7.1.2 and §7.1.3)."""
    value = offset + (12 if vr in _LONG_LENGTH_VRS else 8)
    if length != UNDEFINED_LENGTH:
        if value + length > len(encoded):
            raise _refused("DATA_SET_TRUNCATED", f"expected {length} bytes of Pixel Data, found {len(encoded) - value}")
        return
    while True:  # fragments, PS3.5 Table A.4-1
        item = encoded[value : value + 8]
        if len(item) < 8:
            raise _refused("DATA_SET_TRUNCATED", "expected the end of encapsulated Pixel Data, found none")
        group, element, item_length = struct.unpack("<HHL" if little_endian else ">HHL", item)
        if (group, element) == (0xFFFE, 0xE0DD):
            return
        if (group, element) != (0xFFFE, 0xE000):
            raise _refused("DATA_SET_UNREADABLE", f"expected a fragment, found ({group:04X},{element:04X})")
        value += 8 + item_length


def _uid(elements: Dataset, keyword: str) -> str:
    value = elements.get(keyword)
    if not value:
        raise _refused("UID_MISSING", f"expected {keyword}, found none")
    uid = str(value)
    if not _UID_FORM.fullmatch(uid):
        raise _refused("UID_INVALID", f"expected a UID as {keyword}, found other content")
    return uid


def _modality(elements: Dataset) -> str | None:
    value = str(elements.get("Modality") or "").strip()
    return value if _MODALITY_FORM.fullmatch(value) else None


def _require_same_instance(header: DataSetHeader, received: ReceivedInstance) -> None:
    if "PatientID" not in header.elements:  # type 2: may be empty, must be there (PS3.3 C.7.1.1)
        raise _refused("PATIENT_ID_MISSING", "expected Patient ID (0010,0020), which may be empty")
    if header.sop_class_uid != received.sop_class_uid:
        raise RefusedObject(
            "SOP_CLASS_MISMATCH",
            f"negotiated {UID(received.sop_class_uid).name}, found {UID(header.sop_class_uid).name}",
            DATA_SET_MISMATCH,
        )
    if header.sop_instance_uid != received.sop_instance_uid:
        raise _refused("SOP_INSTANCE_MISMATCH", "expected the SOP Instance UID of the command, found another")


def _refused(code: str, message: str) -> RefusedObject:
    return RefusedObject(code, message, CANNOT_UNDERSTAND)


def _too_deep() -> RefusedObject:
    return _refused("SEQUENCE_TOO_DEEP", f"expected sequences at most {MAX_SEQUENCE_DEPTH} deep")

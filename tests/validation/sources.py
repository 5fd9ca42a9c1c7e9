"""The sources of the validation matrix: every kind of header that a chest radiograph is allowed to come with."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSNearLossless,
)

from dicom_node.jpeg2000 import encode_codestream
from dicom_node.radiograph import RadiographKind
from dicom_node.uids import named_uid
from tests.dicom_node.factories import chest, in_transfer_syntax, lut_item, reread, small_radiograph

ROWS, COLUMNS = 64, 48
CLASSES = ("DX", "DX-PROC LOG", "DX-PROC LIN", "CR")
BITS = (10, 12, 14, 15, 16)
VOIS = ("window", "LINEAR_EXACT", "SIGMOID", "VOI LUT", "none")
# Specific Character Set, Patient's Name and a description, as the bytes that a sender writes.
CHARACTER_SETS: dict[str, tuple[object, bytes, bytes]] = {
    "ASCII": (None, b"Mueller^Joerg", b"Chest, upright"),
    "ISO_IR 100": ("ISO_IR 100", "Müller^Jörg".encode("latin-1"), "Städtisches Klinikum".encode("latin-1")),
    "ISO_IR 192": ("ISO_IR 192", "王^小東=山田^太郎".encode(), "Köln 東京".encode()),
    "ISO 2022 IR 87": (
        ["", "ISO 2022 IR 87"],
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
        b"\x1b$B6;It\x1b(B",
    ),
    "GB18030": ("GB18030", "王^小东".encode("gb18030"), "胸部正位".encode("gb18030")),
}
HTJ2K_FAMILY = (HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K)  # one codestream, which is reversible and in RPCL order
CODESTREAM = Path(__file__).parents[1] / "dicom_node" / "data" / "htj2k_14bit.j2c"
DCMCJPEG = {JPEGLosslessSV1: "+e1", JPEGLossless: "+el"}


@dataclass(frozen=True)
class Case:
    """One combination; `transfer_syntax` is the source's."""

    source_class: str
    monochrome1: bool
    bits: int
    voi: str = "window"
    character_set: str = "ASCII"
    transfer_syntax: UID = ExplicitVRLittleEndian

    def __str__(self) -> str:
        photometric = "MONOCHROME1" if self.monochrome1 else "MONOCHROME2"
        words = (self.source_class, photometric, f"{self.bits} bits", self.voi, self.character_set)
        return ", ".join((*words, self.transfer_syntax.name))

    @property
    def kind(self) -> RadiographKind:
        return RadiographKind(self.source_class.split()[0])


def source_of(case: Case, folder: Path, study: str = "") -> Dataset:
    """The source as it comes off the wire, in a study of its own; `study` makes it another one."""
    ds = small_radiograph(_pixels(case), case.kind, bits_stored=case.bits)
    uids = {one: named_uid(f"matrix {one}", str(case), study) for one in ("Study", "Series", "SOP")}
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = uids.values()
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.PatientID = uids["Study"][-16:]
    ds.PhotometricInterpretation = "MONOCHROME1" if case.monochrome1 else "MONOCHROME2"
    if case.kind is not RadiographKind.CR:
        ds.PresentationLUTShape = "INVERSE" if case.monochrome1 else "IDENTITY"
        ds.PixelIntensityRelationship = "LIN" if case.source_class.endswith("LIN") else "LOG"
        ds.PixelIntensityRelationshipSign = 1 if case.monochrome1 else -1
    _add_voi(ds, case)
    _add_text(ds, case)
    return _encoded(ds, case, folder)


def _add_voi(ds: Dataset, case: Case) -> None:
    top = 1 << case.bits
    if case.voi == "VOI LUT":
        item = lut_item((np.sqrt(np.arange(top) / top) * 65535).astype(int), bits=16)
        item.LUTExplanation = "NORMAL"
        ds.VOILUTSequence = Sequence([item])
    elif case.voi != "none":
        ds.WindowCenter, ds.WindowWidth = [top // 2, top // 3], [top // 2, top // 4]
        ds.WindowCenterWidthExplanation = ["NORMAL", "HARDER"]
        if case.voi != "window":
            ds.VOILUTFunction = case.voi


def _add_text(ds: Dataset, case: Case) -> None:
    character_set, name, description = CHARACTER_SETS[case.character_set]
    request = Dataset()
    if character_set is not None:
        ds.SpecificCharacterSet = character_set
    for item, keyword, vr, value in (
        (ds, "PatientName", "PN", name),
        (ds, "StudyDescription", "LO", description),
        (ds, "InstitutionName", "LO", description),
        (request, "RequestedProcedureDescription", "LO", description),
        (request, "ScheduledProcedureStepID", "SH", b"S1"),
    ):
        padded = value + b" " * (len(value) % 2)
        item[Tag(keyword)] = RawDataElement(Tag(keyword), vr, len(padded), padded, 0, False, True)
    ds.set_original_encoding(False, True, ds._character_set)
    request._parent_encoding = ds._character_set
    request.set_original_encoding(False, True, ds._character_set)
    ds.RequestAttributesSequence = Sequence([request])


def _pixels(case: Case) -> npt.NDArray[np.int64]:
    if case.transfer_syntax in HTJ2K_FAMILY:
        y, x = np.mgrid[:ROWS, :COLUMNS]
        return np.asarray((331 * x + 7 * y * y) % 16384)
    return _chest(case.source_class, case.monochrome1, case.bits)


@cache
def _chest(source_class: str, monochrome1: bool, bits: int) -> npt.NDArray[np.int64]:
    top = (1 << bits) - 1
    display = chest(ROWS, COLUMNS).astype(np.float64)
    if source_class.endswith("LIN"):
        display = 1.0 - np.exp(-3.0 * display)
    return np.rint(top * (1.0 - display if monochrome1 else display)).astype(np.int64)


def _encoded(ds: Dataset, case: Case, folder: Path) -> Dataset:
    uid = case.transfer_syntax
    if uid in DCMCJPEG:
        return _by_dcmtk(ds, uid, folder)
    if uid in HTJ2K_FAMILY:
        return _with_codestream(ds, uid, CODESTREAM.read_bytes())
    if uid == JPEG2000:
        stored = _pixels(case).astype(np.uint16)
        lossy = encode_codestream(stored, bits_stored=case.bits, compression_ratios=[2.0])
        del ds.LossyImageCompression  # as senders do
        return _with_codestream(ds, uid, lossy)
    if uid == JPEGLSNearLossless:
        ds.compress(uid, encoding_plugin="pyjpegls", jls_error=2, generate_instance_uid=False)
        del ds.LossyImageCompression
        return reread(ds)
    return in_transfer_syntax(ds, uid)


def _with_codestream(ds: Dataset, uid: UID, codestream: bytes) -> Dataset:
    ds.PixelData = encapsulate([codestream])
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = uid
    return reread(ds)


def _by_dcmtk(ds: Dataset, uid: UID, folder: Path) -> Dataset:
    tool = shutil.which("dcmcjpeg")
    assert tool is not None, "dcmcjpeg is missing: make peers"
    plain, packed = (folder / f"{ds.SOPInstanceUID}-{name}.dcm" for name in ("plain", "packed"))
    ds.save_as(plain, enforce_file_format=True)
    subprocess.run([tool, DCMCJPEG[uid], "+un", str(plain), str(packed)], check=True, timeout=60)
    return pydicom.dcmread(packed)

"""Sources and companion objects for the tests of presentation state, report and refusal notice."""

from __future__ import annotations

import functools
from dataclasses import replace
from io import BytesIO

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from dicom_node.derived import DerivedPolicy, derive
from dicom_node.pixels import read_source, write_back
from dicom_node.quality_figures import QualityFigures
from dicom_node.radiograph import RadiographKind
from tests.dicom_node.derivation import NOW as NOW
from tests.dicom_node.derivation import POLICY as POLICY
from tests.dicom_node.derivation import PROVENANCE as ONE_SEED
from tests.dicom_node.derivation import SMALL as SMALL
from tests.dicom_node.factories import lut_item, radiograph, reread

PROVENANCE = replace(ONE_SEED, parameters="seeds=4")
QUALITY = QualityFigures(31.2345, 0.91234, 18.7, 0.0, 0.98765, 0.4)

CHARACTER_SETS: dict[str, tuple[object, bytes]] = {
    "ASCII": (None, b"Test^Chest"),
    "ISO_IR 100": ("ISO_IR 100", "Müller^Jörg".encode("latin-1")),
    "ISO_IR 192": ("ISO_IR 192", "王^小東=山田^太郎".encode()),
    "ISO 2022 IR 87": (["", "ISO 2022 IR 87"], b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
    "GB18030": ("GB18030", "王^小东".encode("gb18030")),
}
"""Specific Character Set and a Patient's Name in it."""


def source_of(
    kind: RadiographKind = RadiographKind.DX,
    *,
    character_set: str = "ASCII",
    monochrome1: bool = False,
    voi: str = "window",
    **overrides: object,
) -> Dataset:
    """A small radiograph as it is read from a file, its text undecoded."""
    ds = radiograph(kind, pixels=SMALL, monochrome1=monochrome1, **overrides)  # type: ignore[arg-type]
    if voi == "lut":
        del ds.WindowCenter, ds.WindowWidth
        item = lut_item((np.linspace(0, 1, 1 << 14) ** 0.7 * 65535).astype(int), bits=16)
        item.LUTExplanation = "NORMAL"
        ds.VOILUTSequence = Sequence([item])
    elif voi != "window":
        ds.VOILUTFunction = voi
    declared, name = CHARACTER_SETS[character_set]
    if declared is not None:
        ds.SpecificCharacterSet = declared
    ds[Tag("PatientName")] = raw("PatientName", "PN", name)
    ds.set_original_encoding(False, True, ds._character_set)
    return reread(ds)


def fresh_source(kind: RadiographKind) -> Dataset:
    """A plain source, for tests that need many."""
    return pydicom.dcmread(BytesIO(_file_of(kind)))


@functools.cache
def _file_of(kind: RadiographKind) -> bytes:
    return written(source_of(kind))


def raw(keyword: str, vr: str, value: bytes) -> RawDataElement:
    """An element with exactly these bytes, padded to an even length."""
    padded = value + b" " * (len(value) % 2)
    return RawDataElement(Tag(keyword), vr, len(padded), padded, 0, False, True)


def soft_tissue_of(source: Dataset, policy: DerivedPolicy = POLICY) -> Dataset:
    """What the pipeline would derive, with a twentieth of the display range taken away everywhere."""
    image = read_source(source, check_polarity=False)
    stored = write_back(image, np.full(image.stored.shape, 0.05, np.float32))
    return derive(source, stored, PROVENANCE, policy, NOW)


def written(ds: Dataset) -> bytes:
    """The object as a file."""
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()

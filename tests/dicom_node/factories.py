"""Radiographs for tests: one call per kind, every attribute open to overrides, pixels roughly like a chest."""

from __future__ import annotations

import functools
from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from dicom_node.jpeg2000 import encode_codestream
from dicom_node.radiograph import RadiographKind, wrap_radiograph
from tests.dicom_validation import errors

ACQUIRED_AT = datetime(2024, 5, 17, 9, 30, 12)
VENDOR = "Example X-ray Company"


LOSSLESS = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
)
"""Every transfer syntax that pydicom and its encoders here write without loss."""


@functools.lru_cache(maxsize=4)
def chest(rows: int = 1200, columns: int = 1100) -> npt.NDArray[np.float32]:
    """(H, W) float32 in [0, 1], bone bright: dark outside and in two lung ellipses, bright spine and diaphragm."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    v, u = y / rows, x / columns
    body = np.exp(-((((u - 0.5) / 0.46) ** 6) + ((v - 0.55) / 0.55) ** 8))
    image = 0.04 + 0.62 * body
    for centre in (0.29, 0.71):
        image -= 0.42 * np.exp(-((((u - centre) / 0.15) ** 4) + ((v - 0.45) / 0.30) ** 4))
    image += 0.25 * np.exp(-(((u - 0.5) / 0.09) ** 4)) * body
    for rib in np.linspace(0.2, 0.7, 7):
        image += 0.06 * np.exp(-(((v - rib - 0.3 * (u - 0.5) ** 2) / 0.012) ** 2)) * body
    return np.asarray(np.clip(image, 0.0, 1.0), np.float32)


def radiograph(
    sop_class: RadiographKind | str = RadiographKind.DX,
    *,
    pixels: npt.NDArray[np.floating] | None = None,
    bits_stored: int = 14,
    monochrome1: bool = False,
    remove: tuple[str, ...] = (),
    **overrides: object,
) -> Dataset:
    """A radiograph as a console would send it; `overrides` are keywords of PS3.6, `remove` names what to leave out."""
    ds = wrap_radiograph(
        chest() if pixels is None else pixels,
        sop_class=sop_class,
        bits_stored=bits_stored,
        monochrome1=monochrome1,
        imager_pixel_spacing_mm=0.3,
        patient_id="TEST-0001",
        patient_name="Test^Chest",
        patient_birth_date="19700101",
        patient_sex="F",
        patient_age="054Y",
        accession_number="ACC-1",
        acquired_at=ACQUIRED_AT,
    )
    ds.Manufacturer = VENDOR
    ds.ManufacturerModelName = "Detector One"
    ds.DeviceSerialNumber = "SN-42"
    ds.SoftwareVersions = "7.1"
    ds.StationName = "ROOM1"
    ds.InstitutionName = "Example Hospital"
    ds.SeriesDate, ds.SeriesTime = ds.StudyDate, ds.StudyTime
    for keyword in remove:
        if keyword in ds:
            delattr(ds, keyword)
    for keyword, value in overrides.items():
        setattr(ds, keyword, value)
    return ds


def reread(ds: Dataset) -> Dataset:
    """The dataset as it comes off the wire: written as a file and read back with its raw elements."""
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    buffer.seek(0)
    return pydicom.dcmread(buffer)


def in_transfer_syntax(ds: Dataset, uid: UID) -> Dataset:
    """The dataset compressed or reordered into a transfer syntax, and read back."""
    if uid == JPEG2000Lossless:
        ds.PixelData = encapsulate([encode_codestream(ds.pixel_array, bits_stored=ds.BitsStored)])
        ds["PixelData"].is_undefined_length = True
    elif uid.is_compressed and uid != DeflatedExplicitVRLittleEndian:
        ds.compress(uid, generate_instance_uid=False)
    elif uid == ExplicitVRBigEndian:
        luts = list(ds.get("VOILUTSequence", []))
        for item, keyword in [(ds, "PixelData"), *((lut, "LUTData") for lut in luts)]:  # pydicom leaves OW as it is
            item[keyword].value = np.frombuffer(item[keyword].value, "<u2").astype(">u2").tobytes()
    ds.file_meta.TransferSyntaxUID = uid
    return reread(ds)


def dciodvfy_errors(ds: Dataset, folder: Path) -> list[str]:
    """The error lines that `dciodvfy -new` prints for the dataset (it writes everything to stderr)."""
    path = folder / "checked.dcm"
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return errors("dciodvfy", "-new", str(path))


def dcentvfy_errors(datasets: list[Dataset], folder: Path) -> list[str]:
    """The error lines that `dcentvfy` prints for the datasets as one study."""
    paths = [folder / f"entity{index}.dcm" for index in range(len(datasets))]
    for path, ds in zip(paths, datasets, strict=True):
        pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return errors("dcentvfy", *map(str, paths))


def small_radiograph(
    stored: npt.NDArray[np.integer],
    sop_class: RadiographKind | str = RadiographKind.CR,
    *,
    bits_stored: int = 14,
    signed: bool = False,
    remove: tuple[str, ...] = (),
    **overrides: object,
) -> Dataset:
    """A radiograph with exactly these stored values (any matrix, signed if wanted) and no window but an override's."""
    ds = radiograph(sop_class, pixels=np.zeros(stored.shape, np.float32), bits_stored=bits_stored)
    for keyword in ("WindowCenter", "WindowWidth"):
        if keyword in ds:
            delattr(ds, keyword)
    ds.PixelRepresentation = int(signed)
    ds.PixelData = (stored.astype(np.int64) & 0xFFFF).astype("<u2").tobytes()
    for keyword in remove:
        if keyword in ds:
            delattr(ds, keyword)
    for keyword, value in overrides.items():
        setattr(ds, keyword, value)
    return ds


def lut_item(entries: npt.NDArray[np.integer], first: int = 0, bits: int = 12) -> Dataset:
    """One item of a VOI LUT or Modality LUT Sequence."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries) % 65536, first, bits])
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return item

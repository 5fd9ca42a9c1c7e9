"""Radiographs as files, for tests that send them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.uid import generate_uid

from dicom_node.radiograph import wrap_radiograph
from models.phantom import render


@lru_cache(maxsize=4)
def phantom_display(side: int) -> NDArray[np.float32]:
    return render(side).radiograph


def phantom_file(folder: Path, *, side: int = 1024, name: str = "phantom.dcm") -> Path:
    """A phantom radiograph with fresh UIDs, 14 bits, DX For Presentation."""
    return write(folder / name, wrap_radiograph(phantom_display(side), imager_pixel_spacing_mm=350.0 / side))


def real_file(shared: Path, folder: Path) -> Path:
    """A real radiograph (dual-energy pair 2) wrapped as 14-bit DX."""
    with Image.open(shared / "data" / "pairs" / "cxr" / "2.png") as picture:
        display = np.asarray(picture.convert("L"), dtype=np.float32) / np.float32(255.0)
    return write(folder / "real.dcm", wrap_radiograph(display, imager_pixel_spacing_mm=0.35))


def another_instance(path: Path, folder: Path, name: str) -> Path:
    """The same pixels under a new SOP Instance UID."""
    dataset = dcmread(path)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    return write(folder / name, dataset)


def write(path: Path, dataset: Dataset) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    dcmwrite(path, dataset, enforce_file_format=True)
    return path

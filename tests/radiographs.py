"""Radiographs as files, for tests that send them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.uid import generate_uid

from dicom_node.radiograph import wrap_radiograph
from models.phantom import Phantom, render


@lru_cache(maxsize=4)
def phantom(side: int) -> Phantom:
    return render(side)


def phantom_file(folder: Path, *, side: int = 1024, name: str = "phantom.dcm") -> Path:
    """A phantom radiograph, 14 bits, DX For Presentation; the same side gives the same UIDs."""
    made = phantom(side)
    return write(folder / name, wrap_radiograph(made.radiograph, imager_pixel_spacing_mm=made.pixel_spacing_mm))


def real_file(shared: Path, folder: Path) -> Path:
    """A real radiograph (dual-energy pair 0, which no shipped model was trained on) wrapped as 14-bit DX."""
    with Image.open(shared / "data" / "pairs" / "cxr" / "0.png") as picture:
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

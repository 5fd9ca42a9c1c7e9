"""Small radiographs, every one with pixels and UIDs of its own, so that none can stand in for another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import dcmread, dcmwrite
from pydicom.uid import generate_uid

from tests.radiographs import phantom_file


@dataclass(frozen=True)
class Radiograph:
    """A file to be sent and its SOP Instance UID."""

    path: Path
    sop_instance_uid: str


def write_radiographs(folder: Path, count: int, *, side: int = 128) -> list[Radiograph]:
    """`count` chest phantoms of `side` x `side` pixels, 14 of 16 bits, each a study of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    dataset = dcmread(phantom_file(folder / "template", side=side))
    dataset.PatientAge = "045Y"  # so that the header leaves nothing open and no gate looks at the picture
    pixels = dataset.pixel_array.copy()
    written = []
    for number in range(count):
        uid = generate_uid(entropy_srcs=["softray load", str(folder), str(number)])
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
        dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study", uid])
        dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["series", uid])
        numbered = pixels.copy()
        numbered[0, :16] = [number >> bit & 1 for bit in range(16)]
        numbered[0, 16] = number >> 16
        dataset.PixelData = np.ascontiguousarray(numbered, dtype="<u2").tobytes()
        path = folder / f"{number:06d}.dcm"
        dcmwrite(path, dataset, enforce_file_format=True)
        written.append(Radiograph(path, str(uid)))
    return written

"""Real pictures for the image check: frontal chests, and whatever else the development data and pydicom hold.

None of them is part of this project; where the folder is absent there is nothing to train or measure with.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_files

Picture = npt.NDArray[np.float32]
SIDE = 256  # px of the shorter side that pictures are kept at: far finer than the check looks
MODALITIES = {"CR", "DX", "CT", "MR", "NM", "OT", "US", "PT"}
SMALLEST = 60


@dataclass(frozen=True)
class Sample:
    """One picture, (H, W) float32 in any linear scale, bone bright; `origin` names the patient or the thing it shows.

    `family` is the kind of thing, left out as a whole where an error rate is to hold for things never seen.
    """

    origin: str
    family: str
    picture: Picture


def frontal_chests(data: Path) -> list[Sample]:
    """The real frontal radiographs of three collections, one of them mostly portable."""
    found = []
    for family, pattern in (
        ("nih", "radiographs/nih/*.png"),
        ("hannover", "radiographs/hannover_covid/*.png"),
        ("szch", "pairs/cxr/*.png"),
    ):
        for path in sorted(data.glob(pattern)):
            picture = np.asarray(Image.open(path).convert("L"), np.float32)
            found.append(Sample(path.stem, family, reduced(picture)))
    return found


def other_things(data: Path) -> list[Sample]:
    """Hips, shins and a dog's chest from the development data; slices and scans from pydicom's test files."""
    return [*_objects(sorted((data / "dicom").glob("R*")) + sorted((data / "dicom").glob("rogue*"))), *_pydicom()]


def _pydicom() -> Iterator[Sample]:
    yield from _objects(sorted(Path(name) for name in get_testdata_files()))


def _objects(paths: list[Path]) -> Iterator[Sample]:
    seen = set()
    for path in paths:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                ds = dcmread(path, force=True)
                usable = ds.SamplesPerPixel == 1 and ds.Modality in MODALITIES and "NumberOfFrames" not in ds
                picture = ds.pixel_array.astype(np.float32) if usable else np.zeros((1, 1), np.float32)
            except Exception:  # odd files are what pydicom keeps them for
                continue
        key = picture.tobytes()[:4096]
        if min(picture.shape) < SMALLEST or picture.ndim != 2 or key in seen:
            continue
        seen.add(key)
        dark = ds.PhotometricInterpretation == "MONOCHROME1"
        family = {"CR": "limb", "DX": "limb"}.get(ds.Modality, ds.Modality)
        family = "dog" if path.name.startswith("rogue") else family
        yield Sample(path.name, family, reduced(-picture if dark else picture))


def reduced(picture: Picture) -> Picture:
    """Means of whole cells, so that the shorter side has about SIDE px."""
    step = max(1, min(picture.shape) // SIDE)
    rows, columns = (n // step * step for n in picture.shape)
    cells = picture[:rows, :columns].reshape(rows // step, step, columns // step, step)
    return np.asarray(cells.mean(axis=(1, 3)), np.float32)

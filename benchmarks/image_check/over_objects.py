"""The whole gate over real pictures as DX objects: `python -m benchmarks.image_check.over_objects ../shared/data`.

Each radiograph is wrapped with a full header and with one that tells neither body part nor view, as it is, inverted and
turned; views of the CT are wrapped as if they were frontal. The shipped networks know these patients: how they do on
others is what `python -m benchmarks.image_check` measures.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from benchmarks.image_check.projected import ct_views
from dicom_node.eligibility import EligibilityPolicy
from dicom_node.gate_explanation import explain
from dicom_node.radiograph import wrap_radiograph

Picture = npt.NDArray[np.float32]
POLICY = EligibilityPolicy(min_side=64)  # some of the pictures are copies at 640 px
TOLD_NOTHING = ("BodyPartExamined", "AnatomicRegionSequence", "SeriesDescription", "ViewPosition", "ViewCodeSequence")
COPIES: dict[str, Callable[[Picture], Picture]] = {
    "as it is": lambda picture: picture,
    "inverted": lambda picture: 1 - picture,
    "turned 90": lambda picture: np.rot90(picture),
    "turned 180": lambda picture: np.rot90(picture, 2),
}


def main() -> None:
    """Print how many of each group get which code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    torch.set_num_threads(1)
    paths = sorted([*data.glob("radiographs/*/*.png"), *data.glob("pairs/cxr/*.png")])
    print(f"{len(paths)} real frontal radiographs")
    for name, make in COPIES.items():
        for told in (True, False):
            codes = Counter(_code(make(_read(path)), told=told) for path in paths)
            _show(name, told, codes)
    views = ct_views(data / "ct" / "lidc_idri_0314.npz", each=20, seed=7)
    for family in sorted({view.family for view in views}):
        pictures = [_scaled(view.picture) for view in views if view.family == family]
        for told in (True, False):
            _show(family, told, Counter(_code(picture, told=told) for picture in pictures))


def _read(path: Path) -> Picture:
    return np.asarray(Image.open(path).convert("L"), np.float32) / np.float32(255)


def _scaled(picture: Picture) -> Picture:
    return np.asarray((picture - picture.min()) / np.ptp(picture), np.float32)


def _code(picture: Picture, *, told: bool) -> str:
    ds = wrap_radiograph(np.ascontiguousarray(picture), patient_age="050Y")
    if not told:
        for keyword in TOLD_NOTHING:
            delattr(ds, keyword)
        ds.PatientOrientation = ""
    return explain(ds, POLICY).code


def _show(name: str, told: bool, codes: Counter[str]) -> None:
    header = "chest PA" if told else "silent"
    print(f"{name:14}{header:10}", ", ".join(f"{code} {count}" for code, count in codes.most_common()))


if __name__ == "__main__":
    main()

"""The bone residual: what was taken away from the source, as an image of its own on the same grid, without loss.

Stored value = offset + (source − soft tissue), both in stored values, so that original − soft = bone holds for every
pixel and anybody can check it (`triple`). The offset is half the range of Bits Stored; one bit more than the source's
holds every difference, and a 16-bit source's differences fit or there is no bone image. Its Photometric Interpretation
is the one that shows bone bright, whichever way the source's stored values run.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicom_node.derived_attributes import COPIED_BY_ALL
from dicom_node.derived_image import Derivation, begin, derived_class, finish
from dicom_node.derived_kinds import BONE
from dicom_node.derived_map import add_own_grey_scale
from dicom_node.errors import DerivationError
from dicom_node.image_pixel import ImagePixel
from dicom_node.pixels import SourceImage
from dicom_node.provenance import DerivedPolicy, Provenance
from dicom_node.real_world_values import RealWorldValue, add_real_world_value
from dicom_node.voi import Window

BRIGHT_PERCENTILE = 99.5  # of the differences on the side of bone: shown white
DARK_SHARE = 0.25  # of that, on the other side of no difference: shown black, so that no difference is a dark grey
LEAST_SPAN = 1 / 256  # of the source's range: noise alone is not blown up to look like bone


def derive_bone(
    source: Dataset,
    image: SourceImage,
    stored_soft: npt.NDArray[np.integer],
    provenance: Provenance,
    policy: DerivedPolicy,
    now: datetime,
) -> Dataset:
    """The bone residual of `source`, whose pixels are `image` and whose soft tissue is `stored_soft` (H, W).

    Raises DerivationError when the class is another or a difference does not fit, see `derived.derive` for the rest.
    """
    derived_class(source)
    if stored_soft.shape != image.stored.shape:
        raise DerivationError(
            "PIXELS_DO_NOT_FIT", f"expected soft tissue of {image.stored.shape}, found {stored_soft.shape}"
        )
    difference = image.stored.astype(np.int64) - stored_soft.astype(np.int64)
    layout, offset = _layout(image, difference)
    derived = begin(source, Derivation(BONE, provenance, policy, now), COPIED_BY_ALL)
    derived.DerivationDescription = provenance.description(
        f"Bone residual: stored value = {offset} + (original - soft tissue), in stored values, after ribs and "
        "clavicles were suppressed by {method}"
    )
    windows = {"BONE": _window(image, difference, offset), "FULL RANGE": _full_range(layout)}
    add_own_grey_scale(derived, layout, windows)
    meaning = RealWorldValue(1.0, -float(offset), "BONE RESIDUAL", "original - soft tissue, in stored values")
    add_real_world_value(derived, layout, meaning)
    return finish(source, derived, image.layout, layout, difference + offset)


def _layout(image: SourceImage, difference: npt.NDArray[np.int64]) -> tuple[ImagePixel, int]:
    """How the residual is stored, and the stored value of no difference."""
    bits = min(image.layout.bits_stored + 1, 16)
    offset = 1 << (bits - 1)
    lowest, highest = int(difference.min()), int(difference.max())
    if lowest < -offset or highest >= offset:
        raise DerivationError(
            "BONE_DOES_NOT_FIT",
            f"expected differences from {-offset} to {offset - 1} in {bits} bits, found {lowest} to {highest}",
        )
    photometric = "MONOCHROME1" if image.mapping.falling else "MONOCHROME2"
    return ImagePixel(image.layout.rows, image.layout.columns, bits, False, photometric), offset


def _window(image: SourceImage, difference: npt.NDArray[np.int64], offset: int) -> Window:
    """From a little below no difference, black, to the strongest bone, white; mirrored where bone is stored low."""
    side = -1 if image.mapping.falling else 1
    bone = side * difference[image.alterable]
    bone = bone[bone > 0]
    strongest = float(np.percentile(bone, BRIGHT_PERCENTILE)) if bone.size else 0.0
    span = max(strongest, LEAST_SPAN * (1 << image.layout.bits_stored))
    black, white = offset - side * DARK_SHARE * span, offset + side * span
    return Window((black + white + 1.0) / 2.0, abs(white - black) + 1.0)


def _full_range(layout: ImagePixel) -> Window:
    return Window(float(1 << (layout.bits_stored - 1)), float(1 << layout.bits_stored))

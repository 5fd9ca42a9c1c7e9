"""The soft tissue image: a bone-suppressed companion in a new Series of the source's Study (PS3.3 A.2, A.26, C.7.6.1).

One instance per source instance, on the source's grid and in its stored-value space, so that switching between the two
shows no jump; the rest is as `derived_image` has it.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicom_node.derived_attributes import COPIED
from dicom_node.derived_image import Derivation, begin, derived_class, finish
from dicom_node.derived_kinds import SOFT_TISSUE
from dicom_node.derived_voi import add_grey_scale
from dicom_node.image_pixel import read_image_pixel
from dicom_node.pixels import SourceImage
from dicom_node.provenance import DerivedPolicy, Provenance

__all__ = ["DerivedPolicy", "Provenance", "derive"]


def derive(
    source: Dataset,
    stored: npt.NDArray[np.integer],
    provenance: Provenance,
    policy: DerivedPolicy,
    now: datetime,
    *,
    image: SourceImage | None = None,
) -> Dataset:
    """The derived object of `source` with the stored values `stored` (H, W), as `pixels.write_back` gives them.

    `image` is what the model saw, so that a source without a VOI hands on the window it was seen through; None reads it
    again where it is needed. `now` is the start of inference. Aware, it is written in the source's Timezone Offset From
    UTC where there is one, in its own zone otherwise; naive, it is taken to be local to the source. `source` is left as
    it was. A DX source without Imager Pixel Spacing or Patient Orientation, or with signed or rescaled pixels, gets a
    Secondary Capture, since no DX could be truthful and valid at once.
    Raises DerivationError when the pixels do not fit or the source is of another class, PixelError when its header has
    no usable layout.
    """
    derived_class(source)
    layout = read_image_pixel(source)
    derived = begin(source, Derivation(SOFT_TISSUE, provenance, policy, now), COPIED)
    derived.DerivationDescription = provenance.description()
    add_grey_scale(source, derived, layout, image)
    return finish(source, derived, layout, layout, stored)

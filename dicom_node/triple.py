"""Original, soft tissue and bone residual belong together: original − soft = bone, for every pixel, or nothing is sent.

Checked on the finished objects, as a receiver will decode them, so that neither an encoder nor a header can come
between the arithmetic and the proof.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicom_node.decoding import decode_stored
from dicom_node.errors import DerivationError, PixelError
from dicom_node.header_values import texts
from dicom_node.image_pixel import read_image_pixel
from dicom_node.real_world_values import real_world_intercept

SAME_IN_BOTH = (
    "StudyInstanceUID",
    "PatientID",
    "Rows",
    "Columns",
    "ImagerPixelSpacing",
    "PixelSpacing",
    "PixelAspectRatio",
    "PatientOrientation",
)


def check_triple(source_stored: npt.NDArray[np.integer], soft: Dataset, bone: Dataset) -> None:
    """Raise DerivationError TRIPLE_BROKEN unless `source_stored` (H, W) − `soft` = `bone` exactly, on one grid."""
    for keyword in SAME_IN_BOTH:
        if texts(soft, keyword) != texts(bone, keyword):
            raise _broken(f"expected the same {keyword} in soft tissue and bone, found two")
    offset = real_world_intercept(bone)
    if offset is None or offset != int(offset):
        raise _broken("expected a whole offset in the Real World Value Mapping of the bone image, found none")
    soft_stored, bone_stored = _stored(soft), _stored(bone)
    if not source_stored.shape == soft_stored.shape == bone_stored.shape:
        raise _broken(f"expected one grid, found {source_stored.shape}, {soft_stored.shape}, {bone_stored.shape}")
    off = source_stored.astype(np.int64) - soft_stored != bone_stored + int(offset)
    if off.any():
        raise _broken(f"expected original - soft = bone everywhere, found {int(off.sum())} of {off.size} pixels off")


def _stored(ds: Dataset) -> npt.NDArray[np.int64]:
    try:
        return decode_stored(ds, read_image_pixel(ds)).astype(np.int64)
    except PixelError as error:
        raise _broken(f"expected an object that can be decoded, found {error.code}") from error


def _broken(message: str) -> DerivationError:
    return DerivationError("TRIPLE_BROKEN", message)

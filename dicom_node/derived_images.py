"""All derived images of one source that a site wants: built, compressed, and proved to belong together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from dicom_node.compression import compressed
from dicom_node.derived import derive
from dicom_node.derived_bone import derive_bone
from dicom_node.derived_spread import derive_spread
from dicom_node.pixels import SourceImage
from dicom_node.provenance import DerivedPolicy, Provenance
from dicom_node.triple import check_triple

SOFT_TISSUE, BONE, SPREAD = "SOFT_TISSUE", "BONE", "SPREAD"  # as the registry names the kinds of result
NO_TRUTHFUL_DX = "SECONDARY_CAPTURE_INSTEAD_OF_DX"


@dataclass(frozen=True)
class DerivedImage:
    """A finished derived image; `notes` are codes of what stands out about it, for the log."""

    kind: str
    dataset: Dataset
    notes: tuple[str, ...] = ()


def derive_images(
    source: Dataset,
    image: SourceImage,
    soft_stored: npt.NDArray[np.integer],
    spread: npt.NDArray[np.floating] | None,
    provenance: Provenance,
    policy: DerivedPolicy,
    wanted: frozenset[str],
    compression: str,
    now: datetime,
) -> tuple[DerivedImage, ...]:
    """The `wanted` kinds of derived image of `source`, seen as `image`, in the order soft tissue, bone, spread.

    `soft_stored` (H, W) as `pixels.write_back` gives it; `spread` (H, W) in display units, None where one seed ran,
    which leaves the map out. `compression` is a value of `Compression`. Where bone is wanted, nothing comes back unless
    original − soft = bone holds in the finished objects. Raises DerivationError, and PixelError for a header without a
    usable layout.
    """
    finished: dict[str, Dataset] = {}
    if wanted & {SOFT_TISSUE, BONE}:
        soft = derive(source, soft_stored, provenance, policy, now, image=image)
        finished[SOFT_TISSUE] = compressed(soft, compression)
    if BONE in wanted:
        bone = derive_bone(source, image, soft_stored, provenance, policy, now)
        finished[BONE] = compressed(bone, compression)
        check_triple(image.stored, finished[SOFT_TISSUE], finished[BONE])
    if SPREAD in wanted and spread is not None:
        finished[SPREAD] = compressed(derive_spread(source, spread, provenance, policy, now), compression)
    return tuple(DerivedImage(kind, one, _notes(one)) for kind, one in finished.items() if kind in wanted)


def _notes(derived: Dataset) -> tuple[str, ...]:
    return (NO_TRUTHFUL_DX,) if derived.SOPClassUID == SecondaryCaptureImageStorage else ()

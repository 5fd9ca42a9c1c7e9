"""How a header wants its pixels shown, and the display mapping that follows (PS3.3 C.11, C.8.11.3).

For Presentation and CR: modality transform, VOI, inversion by Photometric Interpretation (Presentation LUT Shape only
repeats it; where the two disagree, Photometric Interpretation is believed). Without a usable VOI a percentile window
over the valid pixels stands in, and the derived object carries it. For Processing: no VOI is allowed, Photometric
Interpretation does not count, and Pixel Intensity Relationship and Sign tell where bone is; linear intensities go
through −log first, and the derived For Presentation object carries that curve as a VOI LUT.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage, DigitalXRayImageStorageForProcessing

from dicom_node.display_mapping import DisplayMapping, MappingNote
from dicom_node.errors import PixelError, PixelErrorCode
from dicom_node.header_values import number, text
from dicom_node.image_pixel import ImagePixel
from dicom_node.lookup_tables import LookupTable
from dicom_node.modality_transform import ModalityTransform, read_modality_transform
from dicom_node.monotone import strictly_monotone
from dicom_node.voi import VoiFunction, Window, read_voi

PERCENTILES = (0.5, 99.5)
LEAST_INSIDE = 0.02  # of the valid pixels: a window that shows fewer was not made for this image
LUT_BITS = 16


@dataclass(frozen=True)
class AddedVoi:
    """The VOI that a derived object must carry because its source has none, and the polarity that goes with it."""

    photometric_interpretation: str
    voi: Window | LookupTable


@dataclass(frozen=True)
class Presentation:
    """The display mapping of an image, what its derived object must add, and what had to be done about the header."""

    mapping: DisplayMapping
    added_voi: AddedVoi | None
    notes: tuple[MappingNote, ...]


def read_presentation(
    ds: Dataset, layout: ImagePixel, stored: npt.NDArray[np.int32], valid: npt.NDArray[np.bool_]
) -> Presentation:
    """The presentation of `stored` under the header; `valid` (H, W) marks the pixels that statistics may see."""
    counts = np.bincount((stored[valid] - layout.lowest).ravel(), minlength=layout.highest - layout.lowest + 1)
    if np.count_nonzero(counts) < 2:
        raise PixelError(PixelErrorCode.NO_CONTRAST, "expected an image, found a single stored value")
    modality = read_modality_transform(ds)
    sop_class = text(ds, "SOPClassUID")
    if sop_class == DigitalXRayImageStorageForProcessing:
        return _for_processing(ds, layout, modality, counts)
    notes = []
    if sop_class != ComputedRadiographyImageStorage and not modality.is_identity:
        notes.append(MappingNote.RESCALE_IN_DX)
    values = modality(_codes(layout))
    inverted = layout.photometric_interpretation == "MONOCHROME1"
    stated = read_voi(ds)
    if stated is None:
        notes.append(MappingNote.NO_VOI)
    else:
        curve = strictly_monotone(stated(values))
        if curve is None:
            notes.append(MappingNote.VOI_NOT_INVERTIBLE)
        elif _share_inside(curve, counts) < LEAST_INSIDE:
            notes.append(MappingNote.VOI_MISSES_THE_IMAGE)
        else:
            return Presentation(_mapping(layout, curve, inverted), None, tuple(notes))
    window, curve = _percentile_curve(values, counts)
    added = AddedVoi(layout.photometric_interpretation, window) if stated is None else None
    return Presentation(_mapping(layout, curve, inverted), added, tuple(notes))


def _for_processing(
    ds: Dataset, layout: ImagePixel, modality: ModalityTransform, counts: npt.NDArray[np.int64]
) -> Presentation:
    sign = number(ds, "PixelIntensityRelationshipSign")
    falls_with_intensity = sign < 0 if sign else layout.photometric_interpretation == "MONOCHROME2"
    photometric = "MONOCHROME2" if falls_with_intensity else "MONOCHROME1"
    # Window and LUT are made for stored values: the derived DX has no rescale but 0, 1 (C.8.11.3).
    if text(ds, "PixelIntensityRelationship").upper() != "LIN":
        window, curve = _percentile_curve(_codes(layout), counts)
        mapping = _mapping(layout, curve, photometric == "MONOCHROME1")
        return Presentation(mapping, AddedVoi(photometric, window), (MappingNote.NO_VOI,))
    values = modality(_codes(layout))
    # Logarithm of the intensity, signed so that it rises with the stored values whatever their sign is.
    intensity = values.max() - values if falls_with_intensity else values
    log_values = np.log(np.maximum(intensity, 0.5)) * (-1.0 if falls_with_intensity else 1.0)
    _, curve = _percentile_curve(log_values, counts)
    entries = np.rint(np.clip(curve, 0.0, 1.0) * ((1 << LUT_BITS) - 1))
    table = LookupTable(layout.lowest, entries, LUT_BITS)
    notes = (MappingNote.NO_VOI, MappingNote.FOR_PROCESSING_LINEARISED)
    return Presentation(_mapping(layout, curve, photometric == "MONOCHROME1"), AddedVoi(photometric, table), notes)


def _codes(layout: ImagePixel) -> npt.NDArray[np.float64]:
    return np.arange(layout.lowest, layout.highest + 1, dtype=np.float64)


def _mapping(layout: ImagePixel, curve: npt.NDArray[np.float64], inverted: bool) -> DisplayMapping:
    return DisplayMapping(layout.lowest, 1.0 - curve if inverted else curve)


def _share_inside(curve: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]) -> float:
    inside = (curve > 0.0) & (curve < 1.0)
    return float(counts[inside].sum() / counts.sum())


def _percentile_curve(
    values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]
) -> tuple[Window, npt.NDArray[np.float64]]:
    """A window between two percentiles of the valid pixels, and `values` through it, strictly monotone."""
    curve = strictly_monotone(values)
    if curve is None:
        raise PixelError(
            PixelErrorCode.MODALITY_TRANSFORM_INVALID, "expected a Modality LUT with one inverse, found one that turns"
        )
    share = np.cumsum(counts) / counts.sum()
    low, high = (int(np.searchsorted(share, percentile / 100.0)) for percentile in PERCENTILES)
    if low == high:  # nearly all pixels alike: the whole range that occurs
        low, high = np.flatnonzero(counts)[[0, -1]]
    ends = sorted((float(curve[low]), float(curve[high])))
    window = Window((ends[0] + ends[1] + 1.0) / 2.0, ends[1] - ends[0] + 1.0, VoiFunction.LINEAR)
    return window, window(curve)

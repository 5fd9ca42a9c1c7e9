"""A stored object for the viewer: decoded at full depth, with the grey scale that its header asks for (PS3.3 C.11).

The viewer lets people set another window, so the grey scale is handed on as a window where the header has one, and as
sampled points where it has a curve (VOI LUT Sequence, or what stands in for one).
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import DigitalXRayImageStorageForProcessing

from dicom_node.decoding import decode_stored
from dicom_node.display_mapping import MappingNote
from dicom_node.errors import PixelError
from dicom_node.header_values import numbers, text
from dicom_node.image_pixel import ImagePixel, read_image_pixel
from dicom_node.modality_transform import ModalityTransform, read_modality_transform
from dicom_node.pixels import SourceImage, read_source
from dicom_node.voi import Window, read_voi
from service.viewer_pixels import GreyScale, PixelsNotShownError, ViewerPixels

CURVE_POINTS = 129
_REPLACED = {MappingNote.NO_VOI, MappingNote.VOI_NOT_INVERTIBLE, MappingNote.VOI_MISSES_THE_IMAGE}


def read_pixels(content: bytes, with_grey_scale: bool) -> ViewerPixels:
    """The image in the DICOM file `content`; without its grey scale only the values are looked at.

    Raises PixelsNotShownError with the code of what is wrong with them.
    """
    try:
        ds = dcmread(BytesIO(content))
    except (InvalidDicomError, EOFError) as error:
        raise PixelsNotShownError("DATA_SET_UNREADABLE", "expected a DICOM file, found other bytes") from error
    try:
        if with_grey_scale:
            source = read_source(ds, check_polarity=False)
            layout, stored = source.layout, source.stored
            grey_scale = _grey_scale(ds, source)
        else:
            layout, grey_scale = read_image_pixel(ds), None
            stored = decode_stored(ds, layout)
        transform = _linear(ds, layout)
    except PixelError as error:
        raise PixelsNotShownError(error.code, error.message) from error
    spacing, calibrated = _spacing(ds)
    return ViewerPixels(
        words=(stored - layout.lowest).astype("<u2").tobytes(),
        rows=layout.rows,
        columns=layout.columns,
        bits_stored=layout.bits_stored,
        lowest=layout.lowest,
        slope=transform.slope,
        intercept=transform.intercept,
        unit=_unit(ds, transform),
        spacing_mm=spacing,
        calibrated=calibrated,
        grey_scale=grey_scale,
    )


def _grey_scale(ds: Dataset, source: SourceImage) -> GreyScale:
    inverted = _inverted(ds, source)
    if source.added_voi is not None and isinstance(source.added_voi.voi, Window):
        window: object = source.added_voi.voi
    else:
        window = None if _REPLACED & set(source.notes) else read_voi(ds)
    if isinstance(window, Window) and read_modality_transform(ds).table is None:
        return GreyScale(window.center, window.width, str(window.function), inverted)
    return _curve(source, _linear(ds, source.layout), inverted)


def _curve(source: SourceImage, transform: ModalityTransform, inverted: bool) -> GreyScale:
    """The display mapping between black and white, as points."""
    mapping = source.mapping
    values = transform(np.arange(mapping.lowest, mapping.highest + 1, dtype=np.float64))
    grey = 1.0 - mapping.table if inverted else mapping.table
    if values[0] > values[-1]:
        values, grey = values[::-1], grey[::-1]
    inside = np.flatnonzero((grey > 0.0) & (grey < 1.0))
    first, last = (max(int(inside[0]) - 1, 0), min(int(inside[-1]) + 1, len(grey) - 1)) if inside.size else (0, -1)
    low, high = float(values[first]), float(values[last])
    points = np.interp(np.linspace(low, high, CURVE_POINTS), values, np.clip(grey, 0.0, 1.0))
    curve = tuple(round(float(point), 4) for point in points)
    return GreyScale((low + high) / 2.0, high - low, "CURVE", inverted, curve)


def _inverted(ds: Dataset, source: SourceImage) -> bool:
    if text(ds, "SOPClassUID") == DigitalXRayImageStorageForProcessing and source.added_voi is not None:
        return source.added_voi.photometric_interpretation == "MONOCHROME1"
    return source.layout.photometric_interpretation == "MONOCHROME1"


def _linear(ds: Dataset, layout: ImagePixel) -> ModalityTransform:
    """Stored values themselves where the header has a Modality LUT or is For Processing: the curve holds the rest."""
    transform = read_modality_transform(ds)
    if transform.table is not None or text(ds, "SOPClassUID") == DigitalXRayImageStorageForProcessing:
        return ModalityTransform()
    return transform


def _unit(ds: Dataset, transform: ModalityTransform) -> str:
    """Rescale Type (0028,1054); US is "unspecified"."""
    stated = text(ds, "RescaleType")
    if transform.is_identity or stated in ("", "US"):
        return "stored value" if transform.is_identity else "rescaled value"
    return stated[:16]


def _spacing(ds: Dataset) -> tuple[tuple[float, float] | None, bool]:
    """Pixel Spacing is calibrated where it differs from that of the detector (PS3.3 10.7.1.3)."""
    at_detector = _pair(ds, "ImagerPixelSpacing")
    stated = _pair(ds, "PixelSpacing")
    if stated is not None and (at_detector is None or stated != at_detector):
        return stated, text(ds, "PixelSpacingCalibrationType") != "" or at_detector is not None
    return at_detector, False


def _pair(ds: Dataset, keyword: str) -> tuple[float, float] | None:
    values = numbers(ds, keyword)
    if len(values) != 2 or not all(0.001 <= value <= 10.0 for value in values):
        return None
    return values[0], values[1]

"""The grey scale of a derived object: the source's own VOI and rescale, or what it lacks (PS3.3 C.8.11.3, C.11).

The stored-value space is the source's, so that switching between original and companion shows no jump.
"""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ComputedRadiographyImageStorage, DigitalXRayImageStorageForProcessing

from dicom_node.element_copy import copy_elements
from dicom_node.errors import PixelError
from dicom_node.header_values import items, numbers, text, texts
from dicom_node.image_pixel import ImagePixel
from dicom_node.lookup_tables import LookupTable, is_big_endian, read_lookup_table
from dicom_node.modality_transform import read_modality_transform
from dicom_node.pixels import SourceImage, read_source
from dicom_node.presentation import AddedVoi
from dicom_node.value_grammar import obeys_its_vr
from dicom_node.voi import VoiFunction, Window, read_window

RESCALE = ("RescaleIntercept", "RescaleSlope", "RescaleType", "ModalityLUTSequence")
WINDOW = ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction")


def add_grey_scale(source: Dataset, derived: Dataset, layout: ImagePixel, image: SourceImage | None) -> None:
    """Write rescale, VOI, Photometric Interpretation and Presentation LUT Shape.

    `image` is what the model saw of `source`, None to read it again where the source has no VOI to hand on.
    """
    sop_class = text(source, "SOPClassUID")
    for_processing = sop_class == DigitalXRayImageStorageForProcessing
    big_endian = is_big_endian(source)
    if sop_class == ComputedRadiographyImageStorage or not (for_processing or _is_identity(source)):
        copy_elements(source, derived, RESCALE, big_endian=big_endian)
    if sop_class != ComputedRadiographyImageStorage and "ModalityLUTSequence" not in derived:
        if "RescaleSlope" not in derived:
            derived.RescaleIntercept, derived.RescaleSlope = 0, 1
        derived.RescaleType = "US"
    _complete_rescale(source, derived)
    derived.PhotometricInterpretation = layout.photometric_interpretation
    if for_processing or not _copy_voi(source, derived, big_endian):
        _add_voi(derived, layout, _missing_voi(source, layout, image))
    if sop_class != ComputedRadiographyImageStorage:
        inverse = derived.PhotometricInterpretation == "MONOCHROME1"
        derived.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"


def _complete_rescale(source: Dataset, derived: Dataset) -> None:
    """Each of the three needs the others (C.11.1); what the source left out is what it was read with."""
    if items(derived, "ModalityLUTSequence"):
        _drop(derived, *RESCALE[:3])
        return
    if not any(text(derived, keyword) for keyword in RESCALE[:2]):
        _drop(derived, *RESCALE)
        return
    _drop(derived, "ModalityLUTSequence")
    transform = read_modality_transform(source)
    for keyword, value in (("RescaleIntercept", transform.intercept), ("RescaleSlope", transform.slope)):
        if not texts(derived, keyword) or not obeys_its_vr(keyword, texts(derived, keyword)):
            setattr(derived, keyword, f"{value:.10g}")
    if not text(derived, "RescaleType"):
        derived.RescaleType = "US"


def _copy_voi(source: Dataset, derived: Dataset, big_endian: bool) -> bool:
    """Carry over every alternative that can be used; whether there was one."""
    luts = items(source, "VOILUTSequence")
    usable = [bool(read_lookup_table(item, big_endian=big_endian)) for item in luts]
    if any(usable):
        copy_elements(source, derived, ("VOILUTSequence",), big_endian=big_endian)
        copies = items(derived, "VOILUTSequence")
        derived.VOILUTSequence = Sequence([one for one, good in zip(copies, usable, strict=True) if good])
    window = read_window(source)
    if window is None:
        return any(usable)
    copy_elements(source, derived, WINDOW)
    widths = numbers(source, "WindowWidth")
    formed = all(obeys_its_vr(keyword, texts(derived, keyword)) for keyword in WINDOW[:2])
    if not formed or min(widths) < (1.0 if window.function is VoiFunction.LINEAR else 1e-6):
        _write_window(derived, window)
    if "VOILUTFunction" in derived and texts(derived, "VOILUTFunction") != (window.function,):
        derived.VOILUTFunction = window.function.value
    return True


def _write_window(derived: Dataset, window: Window) -> None:
    _drop(derived, "WindowCenterWidthExplanation")
    derived.WindowCenter, derived.WindowWidth = f"{window.center:.10g}", f"{window.width:.10g}"


def _drop(derived: Dataset, *keywords: str) -> None:
    for keyword in keywords:
        if keyword in derived:
            del derived[keyword]


def _missing_voi(source: Dataset, layout: ImagePixel, image: SourceImage | None) -> AddedVoi:
    """The window or curve that the model saw the source through; the full range where the source shows nothing."""
    try:
        added = (image or read_source(source, check_polarity=False)).added_voi
    except PixelError:
        added = None
    middle = (layout.lowest + layout.highest + 1) / 2.0
    full_range = Window(middle, float(layout.highest - layout.lowest + 1))
    return added or AddedVoi(layout.photometric_interpretation, full_range)


def _add_voi(derived: Dataset, layout: ImagePixel, added: AddedVoi) -> None:
    derived.PhotometricInterpretation = added.photometric_interpretation
    if isinstance(added.voi, LookupTable):
        item = Dataset()
        item.add_new("LUTDescriptor", "US", [len(added.voi.entries) % 65536, layout.lowest, added.voi.bits_per_entry])
        item.LUTExplanation = "Logarithm of the X-ray intensity"
        item.add_new("LUTData", "OW", added.voi.entries.astype("<u2").tobytes())
        derived.VOILUTSequence = Sequence([item])
        return
    _write_window(derived, added.voi)


def _is_identity(source: Dataset) -> bool:
    try:
        return read_modality_transform(source).is_identity
    except PixelError:
        return True

"""Grey scale of a derived image whose stored values are its own, not the source's: windows alone, no rescale."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import DigitalXRayImageStorageForPresentation

from dicom_node.image_pixel import ImagePixel
from dicom_node.voi import Window


def add_own_grey_scale(derived: Dataset, layout: ImagePixel, windows: dict[str, Window]) -> None:
    """Write Photometric Interpretation and the `windows` by their explanations, the first of which applies."""
    derived.PhotometricInterpretation = layout.photometric_interpretation
    if derived.SOPClassUID == DigitalXRayImageStorageForPresentation:
        derived.RescaleIntercept, derived.RescaleSlope, derived.RescaleType = 0, 1, "US"
        inverse = layout.photometric_interpretation == "MONOCHROME1"
        derived.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"
    derived.WindowCenter = [f"{window.center:.10g}" for window in windows.values()]
    derived.WindowWidth = [f"{window.width:.10g}" for window in windows.values()]
    derived.WindowCenterWidthExplanation = list(windows)

"""How a presentation state shows its image: whole, shuttered and in grey as the image itself wants it.

PS3.4 N.2: Modality LUT, VOI LUT and Presentation LUT of a state take the place of the image's own, so all three are
repeated, and so is the display shutter.
"""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_node.derived_attributes import SHUTTER
from dicom_node.derived_voi import RESCALE
from dicom_node.element_copy import copied_item, copy_elements
from dicom_node.header_values import integer, items, numbers, text, texts
from dicom_node.lookup_tables import read_lookup_table
from dicom_node.voi import read_window

_SHUTTER = tuple(one for one in SHUTTER.split() if one != "ShutterPresentationColorCIELabValue")  # grey, not colour


def show_as_the_image_wants(image: Dataset, state: Dataset, rows: int, columns: int) -> None:
    """Add to `state` the shutter, the displayed area and the grey scale of `image`, a derived image of that size."""
    _add_shutter(image, state)
    _add_displayed_area(image, state, rows, columns)
    _add_grey_scale(image, state)


def _add_shutter(image: Dataset, state: Dataset) -> None:
    """Display Shutter, Presentation State Shutter (C.7.6.11, C.11.12): what the image hides stays hidden."""
    if not text(image, "ShutterShape"):
        return
    copy_elements(image, state, _SHUTTER)
    if integer(state, "ShutterPresentationValue") is None:
        state.ShutterPresentationValue = 0


def _add_displayed_area(image: Dataset, state: Dataset, rows: int, columns: int) -> None:
    """Displayed Area (C.10.4): the whole image. No spacing is stated, lest a viewer measure with it."""
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner = [1, 1]
    area.DisplayedAreaBottomRightHandCorner = [columns, rows]
    area.PresentationSizeMode = "SCALE TO FIT"
    area.PresentationPixelAspectRatio = _aspect_ratio(image)
    state.DisplayedAreaSelectionSequence = Sequence([area])


def _aspect_ratio(image: Dataset) -> list[int]:
    """Vertical to horizontal size of a pixel."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        size = numbers(image, keyword)
        if len(size) == 2 and min(size) > 0 and size[0] != size[1]:
            return [max(1, round(1000 * size[0] / size[1])), 1000]
    return [1, 1]


def _add_grey_scale(image: Dataset, state: Dataset) -> None:
    """Modality LUT, Softcopy VOI LUT, Softcopy Presentation LUT (C.11.1, C.11.8, C.11.6)."""
    copy_elements(image, state, RESCALE)
    voi = _voi(image, state)
    if voi is not None:
        state.SoftcopyVOILUTSequence = Sequence([voi])
    # Photometric Interpretation does not count under a presentation state: the shape alone inverts.
    inverted = text(image, "PhotometricInterpretation").upper() == "MONOCHROME1"
    state.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"


def _voi(image: Dataset, state: Dataset) -> Dataset | None:
    """The one VOI that applies of those the image offers, by the rule of `voi.read_voi`."""
    item = Dataset()
    luts = items(image, "VOILUTSequence")
    if luts and read_lookup_table(luts[0]) is not None:
        item.VOILUTSequence = Sequence([copied_item(luts[0], state)])
        return item
    window = read_window(image)
    if window is None:
        return None
    stated = zip(numbers(image, "WindowCenter"), numbers(image, "WindowWidth"), strict=True)
    chosen = list(stated).index((window.center, window.width))
    item.WindowCenter = texts(image, "WindowCenter")[chosen]
    item.WindowWidth = texts(image, "WindowWidth")[chosen]
    item.VOILUTFunction = window.function.value
    return item

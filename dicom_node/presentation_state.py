"""The label: a Grayscale Softcopy Presentation State that names the algorithm on the soft-tissue image (PS3.3 A.33.1).

It shows the image exactly as the image wants to be shown (PS3.4 N.2: Modality LUT, VOI LUT and Presentation LUT of the
state take the place of the image's own, so all three are repeated here), whole, with one line of text along the lower
edge. Pixels stay free of burned-in words. Pure: the same arguments give the same bytes.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import GrayscaleSoftcopyPresentationStateStorage

from dicom_node.contributing_equipment import software_versions
from dicom_node.derived_voi import RESCALE
from dicom_node.element_copy import copied_item, copy_elements
from dicom_node.errors import DerivationError, PixelError
from dicom_node.file_meta import file_meta_of
from dicom_node.header_values import integer, items, numbers, text, texts
from dicom_node.lookup_tables import read_lookup_table
from dicom_node.pixels import read_source
from dicom_node.provenance import DerivedPolicy, Provenance, ascii_only
from dicom_node.report_clock import date_of, in_the_sources_zone, time_of
from dicom_node.report_header import (
    PRESENTATION_STATE_STEP,
    DocumentIdentity,
    Maker,
    add_contribution,
    add_times,
    document_of,
    qualification_words,
    reference_to,
)
from dicom_node.uids import named_uid
from dicom_node.voi import read_window

LAYER = "AI_LABEL"
BLACK, WHITE = 0, 0xFFFF  # P-values
# Of the displayed area, x and y: one line below the costophrenic angles, where a frontal chest has abdomen, and between
# the collimated sides, so that its ground is of one grey.
TOP_LEFT, BOTTOM_RIGHT = (0.15, 0.965), (0.85, 0.993)

_SHUTTER = """
ShutterShape ShutterLeftVerticalEdge ShutterRightVerticalEdge ShutterUpperHorizontalEdge ShutterLowerHorizontalEdge
CenterOfCircularShutter RadiusOfCircularShutter VerticesOfThePolygonalShutter ShutterPresentationValue
"""


def label_as_ai(soft_tissue: Dataset, provenance: Provenance, policy: DerivedPolicy, now: datetime) -> Dataset:
    """A presentation state of `soft_tissue`, a derived image as `derived.derive` makes it, which is left as it was.

    Raises DerivationError when that is no image of known size.
    """
    rows, columns = integer(soft_tissue, "Rows"), integer(soft_tissue, "Columns")
    if not rows or not columns:
        raise DerivationError("NO_IMAGE_TO_LABEL", "expected Rows and Columns in the image to label, found none")
    qualification = qualification_words(text(soft_tissue, "ContentQualification"))
    identity = DocumentIdentity(
        sop_class_uid=GrayscaleSoftcopyPresentationStateStorage,
        sop_instance_uid=named_uid("presentation state", text(soft_tissue, "SOPInstanceUID")),
        series_instance_uid=named_uid("presentation state series", text(soft_tissue, "SeriesInstanceUID")),
        modality="PR",
        series_number=(integer(soft_tissue, "SeriesNumber") or policy.series_number_offset) + PRESENTATION_STATE_STEP,
        series_description=f"Label of the AI bone suppressed image {qualification}".strip(),
    )
    maker = Maker(provenance.device_uid(), software_versions(provenance))
    state = document_of(soft_tissue, identity, maker, policy)
    copy_elements(soft_tissue, state, ("RequestAttributesSequence", "BodyPartExamined"))
    if not text(state, "BodyPartExamined"):
        state.BodyPartExamined = "CHEST"  # unpaired, so Laterality is not asked for
    add_contribution(soft_tissue, state)
    now = in_the_sources_zone(soft_tissue, now)
    add_times(state, now)
    # Presentation State Identification
    state.ContentLabel = LAYER
    state.ContentDescription = "Names the algorithm that made the image"
    state.ContentCreatorName = ""
    state.PresentationCreationDate, state.PresentationCreationTime = date_of(now), time_of(now)
    # Presentation State Relationship
    series = Dataset()
    series.SeriesInstanceUID = text(soft_tissue, "SeriesInstanceUID")
    series.ReferencedImageSequence = Sequence([reference_to(soft_tissue)])
    state.ReferencedSeriesSequence = Sequence([series])

    _add_shutter(soft_tissue, state)
    _add_displayed_area(soft_tissue, state, rows, columns)
    bright_below = _is_bright_under_label(soft_tissue)
    _add_label(state, label_text(provenance, qualification), BLACK if bright_below else WHITE)
    _add_grey_scale(soft_tissue, state)
    state.file_meta = file_meta_of(state)
    return state


def label_text(provenance: Provenance, qualification: str) -> str:
    """The line itself, ASCII."""
    made_by = ascii_only(f"{provenance.model_name} {provenance.model_version}".strip(), 64)
    return f"AI bone suppressed: {made_by}. Read with the original. {qualification}".strip()


def _add_shutter(soft_tissue: Dataset, state: Dataset) -> None:
    """Display Shutter, Presentation State Shutter (C.7.6.11, C.11.12): what the image hides stays hidden."""
    if not text(soft_tissue, "ShutterShape"):
        return
    copy_elements(soft_tissue, state, _SHUTTER.split())
    if integer(state, "ShutterPresentationValue") is None:
        state.ShutterPresentationValue = 0


def _add_displayed_area(soft_tissue: Dataset, state: Dataset, rows: int, columns: int) -> None:
    """Displayed Area (C.10.4): the whole image. No spacing is stated, lest a viewer measure with it."""
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner = [1, 1]
    area.DisplayedAreaBottomRightHandCorner = [columns, rows]
    area.PresentationSizeMode = "SCALE TO FIT"
    area.PresentationPixelAspectRatio = _aspect_ratio(soft_tissue)
    state.DisplayedAreaSelectionSequence = Sequence([area])


def _aspect_ratio(soft_tissue: Dataset) -> list[int]:
    """Vertical to horizontal size of a pixel."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        size = numbers(soft_tissue, keyword)
        if len(size) == 2 and min(size) > 0 and size[0] != size[1]:
            return [max(1, round(1000 * size[0] / size[1])), 1000]
    return [1, 1]


def _is_bright_under_label(soft_tissue: Dataset) -> bool:
    """Whether the label would be lost in white, as over an abdomen; False for an image whose pixels cannot be read."""
    try:
        display = read_source(soft_tissue, check_polarity=False).display
    except PixelError:
        return False
    rows, columns = display.shape
    left, right = (int(edge * columns) for edge in (TOP_LEFT[0], BOTTOM_RIGHT[0]))
    top, bottom = (int(edge * rows) for edge in (TOP_LEFT[1], BOTTOM_RIGHT[1]))
    return float(np.median(display[top : bottom + 1, left : right + 1])) > 0.5


def _add_label(state: Dataset, words: str, grey: int) -> None:
    """Graphic Annotation, Graphic Layer (C.10.5, C.10.7), in units of the displayed area: there at any zoom."""
    line = Dataset()
    line.BoundingBoxAnnotationUnits = "DISPLAY"
    line.UnformattedTextValue = words
    line.BoundingBoxTopLeftHandCorner = list(TOP_LEFT)
    line.BoundingBoxBottomRightHandCorner = list(BOTTOM_RIGHT)
    line.BoundingBoxTextHorizontalJustification = "CENTER"
    annotation = Dataset()
    annotation.GraphicLayer = LAYER
    annotation.TextObjectSequence = Sequence([line])
    state.GraphicAnnotationSequence = Sequence([annotation])
    layer = Dataset()
    layer.GraphicLayer = LAYER
    layer.GraphicLayerOrder = 1
    layer.GraphicLayerRecommendedDisplayGrayscaleValue = grey
    layer.GraphicLayerDescription = "What made the image"
    state.GraphicLayerSequence = Sequence([layer])


def _add_grey_scale(soft_tissue: Dataset, state: Dataset) -> None:
    """Modality LUT, Softcopy VOI LUT, Softcopy Presentation LUT (C.11.1, C.11.8, C.11.6)."""
    copy_elements(soft_tissue, state, RESCALE)
    voi = _voi(soft_tissue, state)
    if voi is not None:
        state.SoftcopyVOILUTSequence = Sequence([voi])
    # Photometric Interpretation does not count under a presentation state: the shape alone inverts.
    inverted = text(soft_tissue, "PhotometricInterpretation").upper() == "MONOCHROME1"
    state.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"


def _voi(soft_tissue: Dataset, state: Dataset) -> Dataset | None:
    """The one VOI that applies of those the image offers, by the rule of `voi.read_voi`."""
    item = Dataset()
    luts = items(soft_tissue, "VOILUTSequence")
    if luts and read_lookup_table(luts[0]) is not None:
        item.VOILUTSequence = Sequence([copied_item(luts[0], state)])
        return item
    window = read_window(soft_tissue)
    if window is None:
        return None
    stated = zip(numbers(soft_tissue, "WindowCenter"), numbers(soft_tissue, "WindowWidth"), strict=True)
    chosen = list(stated).index((window.center, window.width))
    item.WindowCenter = texts(soft_tissue, "WindowCenter")[chosen]
    item.WindowWidth = texts(soft_tissue, "WindowWidth")[chosen]
    item.VOILUTFunction = window.function.value
    return item

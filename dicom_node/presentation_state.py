"""The label: a Grayscale Softcopy Presentation State that names the algorithm on the soft-tissue image (PS3.3 A.33.1).

It shows the image as the image itself wants to be shown, with one line of text along the lower edge; pixels stay free
of burned-in words. Pure: the same arguments give the same bytes.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import GrayscaleSoftcopyPresentationStateStorage

from dicom_node.contributing_equipment import software_versions
from dicom_node.derived_modules import date, in_the_sources_zone, time
from dicom_node.element_copy import copy_elements
from dicom_node.errors import DerivationError, PixelError
from dicom_node.file_meta import file_meta_of
from dicom_node.header_values import integer, text
from dicom_node.pixels import read_source
from dicom_node.presentation_state_display import show_as_the_image_wants
from dicom_node.provenance import DerivedPolicy, Provenance, ascii_only
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

LAYER = "AI_LABEL"
BLACK, WHITE = 0, 0xFFFF  # P-values
# Of the displayed area, x and y: one line below the costophrenic angles, where a frontal chest has abdomen, and between
# the collimated sides, so that its ground is of one grey.
TOP_LEFT, BOTTOM_RIGHT = (0.15, 0.965), (0.85, 0.993)


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
    state.PresentationCreationDate, state.PresentationCreationTime = date(now), time(now)
    # Presentation State Relationship
    series = Dataset()
    series.SeriesInstanceUID = text(soft_tissue, "SeriesInstanceUID")
    series.ReferencedImageSequence = Sequence([reference_to(soft_tissue)])
    state.ReferencedSeriesSequence = Sequence([series])

    bright_below = _is_bright_under_label(soft_tissue)
    _add_label(state, label_text(provenance, qualification), BLACK if bright_below else WHITE)
    show_as_the_image_wants(soft_tissue, state, rows, columns)
    state.file_meta = file_meta_of(state)
    return state


def label_text(provenance: Provenance, qualification: str) -> str:
    """The line itself, ASCII."""
    made_by = ascii_only(f"{provenance.model_name} {provenance.model_version}".strip(), 64)
    return f"AI bone suppressed: {made_by}. Read with the original. {qualification}".strip()


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

"""What the header of a DICOM file says about its part in a dual-energy study: standard, soft tissue, bone, or none.

The words are those that consoles write into Series Description, Image Type value 3 and up, and the processing
descriptions; vendors do not publish exact tags, so whole words decide, in several languages, and a site adds its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.uid import DigitalXRayImageStorageForProcessing

from dicom_node.chest_evidence import is_chest
from dicom_node.eligibility_terms import Answer, EligibilityPolicy, Evidence
from dicom_node.header_values import items, text, texts
from dicom_node.header_words import image_words
from dicom_node.object_evidence import has_identifiers, is_accepted_class, is_of_a_patient
from dicom_node.pixels import read_source
from dicom_node.processing_evidence import is_not_our_own
from dicom_node.view_evidence import is_frontal
from models.pairs.errors import PairDataError, PairFault

SOFT_WORDS = frozenset([
    "soft", "softtissue", "weichteil", "weichteile", "weichgewebe", "mou", "mous", "blando", "blandos",
    "molle", "molli", "mole", "moles", "軟部",
])  # fmt: skip
BONE_WORDS = frozenset([
    "bone", "bones", "knochen", "osseux", "osseuse", "hueso", "huesos", "osea", "óseo", "osso", "ossa",
    "ossea", "骨",
])  # fmt: skip
SOFTWARE_WORDS = frozenset([
    "suppressed", "suppression", "suppress", "eliminated", "xbone", "clearread", "softray",
])  # fmt: skip
"""Of images whose bones software took away: what a network guessed is not what two exposures show."""
_RAW_ENERGY_WORDS = frozenset({"low", "high"})
_TIMES = (("AcquisitionDate", "AcquisitionTime"), ("ContentDate", "ContentTime"))
_POLICY = EligibilityPolicy(min_age_years=0)
_RULES = (has_identifiers, is_accepted_class, is_not_our_own, is_of_a_patient)
"""Of the service's gate; its other rules concern single images that are to be processed."""


class Energy(StrEnum):
    """What an image shows."""

    STANDARD = "standard"
    SOFT = "soft tissue"
    BONE = "bone"
    UNCLEAR = "unclear"  # words for both
    OTHER = "other"  # a single energy's raw image, or made by software


@dataclass(frozen=True)
class Exposure:
    """One image of a study, by its header; it holds identifiers, so it never leaves this process."""

    path: Path
    study_uid: str
    sop_uid: str
    patient_id: str
    """Study Instance UID where Patient ID is missing."""
    energy: Energy
    frontal: Evidence
    for_processing: bool
    events: frozenset[str]
    """Irradiation Event UIDs."""
    references: frozenset[str]
    """SOP Instance UIDs of images that this one says it was made from or belongs to."""
    times: Mapping[str, float]
    """Keyword of the time → seconds."""


def read_exposure(path: Path, soft_words: frozenset[str] = frozenset()) -> Exposure | None:
    """The exposure in a file; None when it is no DICOM file or no human's chest radiograph as a console sends it."""
    try:
        ds = dcmread(path, stop_before_pixels=True)
        if (
            any(rule(ds, _POLICY).answer is not Answer.YES for rule in _RULES)
            or is_chest(ds, _POLICY).answer is Answer.NO
        ):
            return None
        return _exposure(path, ds, soft_words)
    except Exception:  # a file can hold anything; what cannot be read is listed as skipped
        return None


def read_display(path: Path) -> NDArray[np.float32]:
    """(H, W) float32 display values by the header, bone bright if it tells the truth, at full depth.

    Raises PixelError, or PairDataError (NOT_READABLE).
    """
    try:
        ds = dcmread(path)
    except Exception as error:
        raise PairDataError(
            PairFault.NOT_READABLE, f"{path.name}: expected a whole DICOM file, found {type(error).__name__}"
        ) from error
    return read_source(ds, check_polarity=False).display


def energy_of(words: frozenset[str], soft_words: frozenset[str] = frozenset()) -> Energy:
    """What an image shows, by the words of its header in lower case."""
    if words & SOFTWARE_WORDS:
        return Energy.OTHER
    soft, bone = bool(words & (SOFT_WORDS | soft_words)), bool(words & BONE_WORDS)
    if soft and bone:
        return Energy.UNCLEAR
    if soft or bone:
        return Energy.SOFT if soft else Energy.BONE
    return Energy.OTHER if words & _RAW_ENERGY_WORDS and "energy" in words else Energy.STANDARD


def _exposure(path: Path, ds: Dataset, soft_words: frozenset[str]) -> Exposure:
    typed = " ".join(texts(ds, "ImageType")[2:]).lower()
    words = image_words(ds) | frozenset(re.split(r"[\W_]+", typed)) - {""}
    study = text(ds, "StudyInstanceUID")
    return Exposure(
        path=path,
        study_uid=study,
        sop_uid=text(ds, "SOPInstanceUID"),
        patient_id=text(ds, "PatientID") or study,
        energy=energy_of(words, soft_words),
        frontal=is_frontal(ds, _POLICY),
        for_processing=text(ds, "SOPClassUID") == DigitalXRayImageStorageForProcessing,
        events=frozenset(texts(ds, "IrradiationEventUID")),
        references=frozenset(
            text(item, "ReferencedSOPInstanceUID")
            for keyword in ("SourceImageSequence", "ReferencedImageSequence")
            for item in items(ds, keyword)
        )
        - {""},
        times={time: at for date, time in _TIMES if (at := _seconds(text(ds, date), text(ds, time))) is not None},
    )


def _seconds(date: str, time: str) -> float | None:
    """Seconds on a scale of their own; None unless DA and TM are whole. A missing date counts as any one day."""
    whole, _, fraction = time.partition(".")
    try:
        at = datetime.strptime(f"{date or '20000101'} {whole}", "%Y%m%d %H%M%S")
        return (at - datetime(1900, 1, 1)).total_seconds() + (float(f"0.{fraction}") if fraction else 0.0)
    except ValueError:
        return None

"""The rejection note: a Key Object Selection Document that takes results back (IHE RAD TF-1 43, IOCM; PS3.3 A.35.4).

An archive that knows Imaging Object Change Management hides, or keeps for quality control alone, what the note refers
to; any other archive keeps it as one more document of the study. The document title says why (PS3.16 CID 7010,
TID 2010). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, KeyObjectSelectionDocumentStorage

from dicom_node import report_codes as concepts
from dicom_node.codes import Code
from dicom_node.derived_modules import date, in_the_sources_zone, time
from dicom_node.errors import DerivationError
from dicom_node.file_meta import file_meta_of
from dicom_node.header_values import text
from dicom_node.provenance import DerivedPolicy, ascii_only
from dicom_node.report_content import Relationship, code_item, container, reference_item, text_item, uid_item
from dicom_node.report_document import evidence_of
from dicom_node.report_header import DocumentIdentity, Maker, add_times, document_of
from dicom_node.uids import CREATOR_UID, SOFTWARE_NAME, named_uid

TEMPLATE = "2010"
REJECTION_NOTE_STEP = 6000
"""Added to the images' own offset, so that the notes sort behind the other documents (`report_header`)."""

TITLE_MODIFIER = Code("113011", "DCM", "Document Title Modifier")
DESCRIPTION = Code("113012", "DCM", "Key Object Description")
INAPPROPRIATE_PROCESSING = Code("111219", "DCM", "Inappropriate image processing")  # CID 7011


class Rejection(StrEnum):
    """Why results are taken back, which decides what an archive may still show (IHE IOCM)."""

    PATIENT_SAFETY = "PATIENT_SAFETY"
    """They could harm: nobody is to see them."""
    QUALITY = "QUALITY"
    """They are not good enough: kept for quality control, not for reading."""


_TITLES = {
    Rejection.PATIENT_SAFETY: Code("113037", "DCM", "Rejected for Patient Safety Reasons"),
    Rejection.QUALITY: Code("113001", "DCM", "Rejected for Quality Reasons"),
}


@dataclass(frozen=True)
class RejectedResult:
    """A result of ours that is taken back: where it lies in the study, and whether it shows a picture."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    is_image: bool


def rejection_note(
    header: Dataset,
    rejected: Many[RejectedResult],
    rejection: Rejection,
    recall_id: str,
    reason: str,
    service_version: str,
    policy: DerivedPolicy,
    now: datetime,
) -> Dataset:
    """The note that takes `rejected` back, all of them in the study of `header` (a source's or a result's).

    `reason` is for the readers in words, without a patient in it. The same recall, title and results give the same SOP
    Instance UID in whatever order they are named. Raises DerivationError: NOTHING_REJECTED without a result,
    IDENTIFIER_MISSING without a study.
    """
    if not rejected:
        raise DerivationError("NOTHING_REJECTED", "expected at least one result to take back, found none")
    study = text(header, "StudyInstanceUID")
    if not study:
        raise DerivationError("IDENTIFIER_MISSING", "expected a Study Instance UID in the header, found none")
    by_uid = {one.sop_instance_uid: one for one in rejected}
    ordered = [by_uid[uid] for uid in sorted(by_uid)]
    title = _TITLES[rejection]
    identity = DocumentIdentity(
        sop_class_uid=KeyObjectSelectionDocumentStorage,
        sop_instance_uid=named_uid("rejection note", recall_id, study, title.value, *sorted(by_uid)),
        series_instance_uid=named_uid("rejection note series", recall_id, study),
        modality="KO",
        series_number=policy.series_number_offset + REJECTION_NOTE_STEP,
        series_description="AI bone suppression: results withdrawn",
    )
    maker = Maker(CREATOR_UID, [ascii_only(f"{SOFTWARE_NAME} {service_version}", 64)])
    document = document_of(header, identity, maker, policy)
    document.InstanceNumber = 1
    now = in_the_sources_zone(header, now)
    add_times(document, now)
    # Key Object Document Series, Key Object Document
    document.ReferencedPerformedProcedureStepSequence = Sequence([])
    document.ContentDate, document.ContentTime = date(now), time(now)
    document.CurrentRequestedProcedureEvidenceSequence = evidence_of(_instance(study, one) for one in ordered)
    # SR Document Content
    document.update(container(title, _rows(ordered, rejection, reason, policy), None, TEMPLATE))
    document.file_meta = file_meta_of(document)
    return document


def _rows(rejected: Many[RejectedResult], rejection: Rejection, reason: str, policy: DerivedPolicy) -> list[Dataset]:
    observer = Relationship.HAS_OBS_CONTEXT
    rows = []
    if rejection is Rejection.QUALITY:  # row 2 of TID 2010: a reason of CID 7011 for this title alone
        rows.append(code_item(TITLE_MODIFIER, INAPPROPRIATE_PROCESSING, Relationship.HAS_CONCEPT_MOD))
    rows += [
        code_item(concepts.LANGUAGE, concepts.ENGLISH, Relationship.HAS_CONCEPT_MOD),
        code_item(concepts.OBSERVER_TYPE, concepts.DEVICE, observer),
        uid_item(concepts.DEVICE_OBSERVER_UID, UID(CREATOR_UID), observer),
        text_item(concepts.DEVICE_OBSERVER_NAME, SOFTWARE_NAME, observer),
        text_item(concepts.DEVICE_OBSERVER_MANUFACTURER, policy.manufacturer, observer),
        text_item(DESCRIPTION, reason),
    ]
    return rows + [reference_item(_reference(one), is_image=one.is_image) for one in rejected]


def _reference(one: RejectedResult) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = one.sop_class_uid
    item.ReferencedSOPInstanceUID = one.sop_instance_uid
    return item


def _instance(study_instance_uid: str, one: RejectedResult) -> Dataset:
    instance = Dataset()
    instance.StudyInstanceUID = study_instance_uid
    instance.SeriesInstanceUID = one.series_instance_uid
    instance.SOPClassUID = one.sop_class_uid
    instance.SOPInstanceUID = one.sop_instance_uid
    return instance

"""The visible refusal: a small report in the study that says why an image has no companion (TID 1500).

Without it a radiologist cannot tell a refusal from a delay. It holds the reason as a code, a sentence, and a reference
to the image. Pure, and safe on any header whatever: what cannot be written about ends in a DerivationError.
"""

from __future__ import annotations

import re
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.uid import UID, ComprehensiveSRStorage

from dicom_node import report_codes as concepts
from dicom_node.errors import DerivationError
from dicom_node.header_values import integer, text
from dicom_node.provenance import DerivedPolicy, ascii_only
from dicom_node.report_content import code_item, container, reference_item, text_item
from dicom_node.report_document import complete_report, image_library, opening_rows
from dicom_node.report_header import REFUSAL_NOTICE_STEP, DocumentIdentity, Maker, document_of, reference_to
from dicom_node.report_reasons import reason_code as coded_reason
from dicom_node.uids import CREATOR_UID, SOFTWARE_NAME, named_uid

_UID = re.compile(r"[0-9]+(\.[0-9]+)+", re.ASCII)  # as the gate has it: archives keep components such as 03
_IDENTIFIERS = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
OWN_OUTPUT = "OWN_OUTPUT"


def refusal_notice(
    source: Dataset, reason_code: str, sentence: str, service_version: str, policy: DerivedPolicy, now: datetime
) -> Dataset:
    """The notice on `source`, a header (pixels are not looked at), best one that nobody has read text from yet.

    `reason_code` is the gate's, such as NOT_CHEST; `sentence` goes to the reader as it is and must not name a patient.
    One source and one reason give one SOP Instance UID. Raises DerivationError, and nothing else: IDENTIFIER_MISSING
    when the source cannot be referred to, OWN_OUTPUT when it is ours (a notice on a notice would never end),
    REASON_INVALID, HEADER_UNREADABLE.
    """
    try:
        return _notice(source, reason_code, sentence, service_version, policy, now)
    except DerivationError:
        raise
    except Exception as error:  # a header can hold anything, nesting deep enough to end the stack included
        raise DerivationError(
            "HEADER_UNREADABLE", f"expected a readable header, found {type(error).__name__}"
        ) from error


def _notice(
    source: Dataset, reason: str, sentence: str, service_version: str, policy: DerivedPolicy, now: datetime
) -> Dataset:
    cause = coded_reason(reason)
    _require_identifiers(source)
    if reason == OWN_OUTPUT or text(source, "InstanceCreatorUID") == CREATOR_UID:
        raise DerivationError(OWN_OUTPUT, "expected an image of someone else's to refuse, found our own")
    identity = DocumentIdentity(
        sop_class_uid=ComprehensiveSRStorage,
        sop_instance_uid=named_uid("refusal notice", text(source, "SOPInstanceUID"), reason),
        series_instance_uid=named_uid("refusal notice series", text(source, "SeriesInstanceUID")),
        modality="SR",
        series_number=policy.series_number_offset + (integer(source, "SeriesNumber") or 0) + REFUSAL_NOTICE_STEP,
        series_description="AI bone suppression: no companion image",
    )
    maker = Maker(CREATOR_UID, [ascii_only(f"{SOFTWARE_NAME} {service_version}", 64)])
    document = document_of(source, identity, maker, policy)
    evaluations = [
        code_item(concepts.COMPANION, concepts.NOT_MADE),
        code_item(concepts.REASON, cause),
        text_item(concepts.COMMENT, sentence.strip() or f"{cause.meaning}."),
    ]
    rows = opening_rows(maker.device_uid, SOFTWARE_NAME, policy, concepts.IMAGING_PROCEDURE)
    if _is_image(source):
        rows.append(image_library([(source, concepts.WITHOUT_COMPANION)]))
    else:
        evaluations.append(reference_item(reference_to(source), is_image=False))
    rows.append(container(concepts.QUALITATIVE_EVALUATIONS, evaluations))
    complete_report(document, source, concepts.NOT_MADE_REPORT, rows, [source], now)
    return document


def _require_identifiers(source: Dataset) -> None:
    for keyword in _IDENTIFIERS:
        uid = text(source, keyword)
        if not _UID.fullmatch(uid) or len(uid) > 64:
            raise DerivationError("IDENTIFIER_MISSING", f"expected a UID in {keyword}, found none that is one")


def _is_image(source: Dataset) -> bool:
    """Whether the object shows a picture: it has a matrix, or its class is an image's."""
    return bool(integer(source, "Rows")) or "Image Storage" in UID(text(source, "SOPClassUID")).name

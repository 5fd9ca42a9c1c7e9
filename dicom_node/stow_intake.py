"""One part of a STOW-RS request through the same intake as a C-STORE: what it became, and a record when it was refused.

A web request has no negotiation that would keep other SOP classes and transfer syntaxes out, so that is done here.
"""

from __future__ import annotations

import logging

from pydicom.uid import UID

from dicom_node.conformance import ACCEPTED_SOP_CLASSES
from dicom_node.data_set_header import read_header
from dicom_node.errors import RefusedObject
from dicom_node.intake import Intake
from dicom_node.part_arrival import TOO_LARGE, PartArrival
from dicom_node.received_instance import ReceivedInstance
from dicom_node.status import (
    CANNOT_UNDERSTAND,
    ELEMENTS_DISCARDED,
    SOP_CLASS_NOT_SUPPORTED,
    TRANSFER_SYNTAX_NOT_SUPPORTED,
    comment_of,
    status_of,
)
from dicom_node.store_instances_response import InstanceOutcome
from dicom_node.transfer_syntaxes import is_decodable
from service.database import transaction
from service.errors import TransientError
from service.logs import log_event
from service.registry import instances
from service.registry.instances import Reception

logger = logging.getLogger(__name__)


def receive_part(intake: Intake, part: PartArrival, study_instance_uid: str | None) -> InstanceOutcome:
    """Keep the instance that has come in `part`, which must be of the Study where one is given; nothing is raised."""
    received: ReceivedInstance | None = None
    try:
        part.end()
        try:
            received = part.received()
            _require_offered(received)
            _require_study(received, study_instance_uid)
        except RefusedObject as refused:
            _record(intake, part, received, refused)
            raise
        receipt = intake.receive(received)
    except Exception as error:
        return _failed(part, error)
    finally:
        part.discard()
    log_event(
        logger,
        "instance_received",
        door="STOW-RS",
        sop_instance_uid=receipt.sop_instance_uid,
        calling_ae_title=part.calling_ae_title,
        reception=receipt.reception,
        reason_code=receipt.reason_code,
        job_id=receipt.job_id,
        notes=",".join(receipt.notes) or None,
    )
    # What is kept under this UID is not what was sent: the first stays, and this one is in quarantine.
    warning = ELEMENTS_DISCARDED if receipt.reception is Reception.CONFLICT else None
    return InstanceOutcome(str(received.sop_class_uid), str(received.sop_instance_uid), warning=warning)


def record_refused_request(intake: Intake, calling_ae_title: str, code: str, detail: str) -> None:
    """Record that a whole request was refused, or broke off. Raises RegistryUnavailableError."""
    with transaction(intake.sessions) as session:
        instances.record_rejection(
            session,
            reason_code=code,
            detail=detail,
            calling_ae_title=calling_ae_title,
            sop_instance_uid=None,
            path=None,  # the sender was told and still has it
            sha256=None,
            now=intake.clock(),
        )


def _require_offered(received: ReceivedInstance) -> None:
    if received.sop_class_uid not in ACCEPTED_SOP_CLASSES:
        message = f"expected an X-ray image, found {_name(received.sop_class_uid)}"
        raise RefusedObject("SOP_CLASS_NOT_ACCEPTED", message, SOP_CLASS_NOT_SUPPORTED)
    if not is_decodable(received.transfer_syntax_uid):
        message = f"expected a transfer syntax that can be decoded here, found {_name(received.transfer_syntax_uid)}"
        raise RefusedObject("TRANSFER_SYNTAX_NOT_SUPPORTED", message, TRANSFER_SYNTAX_NOT_SUPPORTED)


def _require_study(received: ReceivedInstance, study_instance_uid: str | None) -> None:
    if study_instance_uid is None:
        return
    try:
        found = read_header(received).study_instance_uid
    except RefusedObject:
        return  # the intake comes to the same, and records it
    if found != study_instance_uid:
        message = "expected an instance of the Study in the request's address, found another Study Instance UID"
        raise RefusedObject("STUDY_MISMATCH", message, CANNOT_UNDERSTAND)


def _record(intake: Intake, part: PartArrival, received: ReceivedInstance | None, refused: RefusedObject) -> None:
    with transaction(intake.sessions) as session:
        instances.record_rejection(
            session,
            reason_code=refused.code,
            detail=str(refused),
            calling_ae_title=part.calling_ae_title,
            sop_instance_uid=part.head.sop_instance_uid if part.head else None,
            path=None,
            sha256=received.file_sha256() if received else None,
            now=intake.clock(),
        )


def _failed(part: PartArrival, error: Exception) -> InstanceOutcome:
    status, foreseen = status_of(error), isinstance(error, RefusedObject | TransientError)
    head = part.head
    log_event(
        logger,
        "instance_refused",
        level=logging.WARNING if foreseen else logging.ERROR,
        door="STOW-RS",
        sop_instance_uid=head.sop_instance_uid if head else None,
        calling_ae_title=part.calling_ae_title,
        status=f"0x{status:04X}",
        # The message of an exception that nobody foresaw may quote a header.
        reason=comment_of(error) if foreseen else f"{type(error).__module__}.{type(error).__qualname__}",
    )
    return InstanceOutcome(
        head.sop_class_uid if head else None,
        head.sop_instance_uid if head else None,
        failure=status,
        may_pass=not isinstance(error, RefusedObject),
        too_large=isinstance(error, RefusedObject) and error.code == TOO_LARGE,
    )


def _name(uid: UID) -> str:
    """The Standard's name; a UID that is not in it is foreign text and is not repeated."""
    return uid.name if uid.name != uid else "another"

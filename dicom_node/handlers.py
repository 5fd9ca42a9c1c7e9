"""What the node answers to its peers: the only place that returns a DIMSE status or rejects an association.

pynetdicom turns an exception out of a handler into 0xC211, which tells a sender nothing; none leaves here.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import cast

from pydicom.dataset import Dataset
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event
from pynetdicom.pdu_primitives import A_ASSOCIATE

from dicom_node.acceptor import Acceptor
from dicom_node.callers import Callers
from dicom_node.errors import RefusedObject
from dicom_node.intake import Intake
from dicom_node.rejection_alerts import RejectionAlerts
from dicom_node.status import CANNOT_UNDERSTAND, NOT_AUTHORISED, SUCCESS, comment_of, status_of
from service.errors import TransientError
from service.logs import log_event

logger = logging.getLogger(__name__)

APPLICATION_CONTEXT_NAME = "1.2.840.10008.3.1.1.1"  # PS3.7 Annex A.2.1
# A-ASSOCIATE-RJ, PS3.8 Table 9-21: result, source, reason.
CALLING_AE_TITLE_NOT_RECOGNISED = (0x01, 0x01, 0x03)
APPLICATION_CONTEXT_NOT_SUPPORTED = (0x01, 0x01, 0x02)
TEMPORARY_CONGESTION = (0x02, 0x03, 0x01)
LOCAL_LIMIT_EXCEEDED = (0x02, 0x03, 0x02)
CALLED_AE_TITLE_NOT_RECOGNISED = (0x01, 0x01, 0x07)  # sent by pynetdicom, as is the next
PROTOCOL_VERSION_NOT_SUPPORTED = (0x01, 0x02, 0x02)
REJECTIONS = (
    (APPLICATION_CONTEXT_NOT_SUPPORTED, "another application context"),
    (CALLING_AE_TITLE_NOT_RECOGNISED, "the calling AE title is not registered, or not with the host that calls"),
    (CALLED_AE_TITLE_NOT_RECOGNISED, "the called AE title is not ours"),
    (PROTOCOL_VERSION_NOT_SUPPORTED, "another version of the upper layer protocol"),
    (TEMPORARY_CONGESTION, "the node is shutting down; try again"),
    (LOCAL_LIMIT_EXCEEDED, "as many associations as allowed, in all or of this caller; try again"),
)


def on_c_echo(event: Event) -> int:
    """Verification (PS3.4 Annex A): whoever got an association gets Success."""
    return SUCCESS


def on_c_store(event: Event, intake: Intake) -> Dataset:
    """Storage (PS3.4 Annex B): Success once file and rows are safe, otherwise a status that says what to do."""
    calling_ae_title = str(event.assoc.requestor.ae_title).strip()
    arrival = cast(Acceptor, event.assoc).assembly.next_arrival()
    try:
        if arrival is None:
            raise RefusedObject("DATA_SET_MISSING", "expected a data set and its UIDs, found none", CANNOT_UNDERSTAND)
        _require_checked(cast(Acceptor, event.assoc), intake.callers)
        receipt = intake.receive(replace(arrival.received(), caller_host=str(event.assoc.requestor.address)))
    except Exception as error:
        return _failed(event, calling_ae_title, error)
    finally:
        if arrival is not None:
            arrival.discard()
    log_event(
        logger,
        "instance_received",
        sop_instance_uid=receipt.sop_instance_uid,
        calling_ae_title=calling_ae_title,
        reception=receipt.reception,
        reason_code=receipt.reason_code,
        job_id=receipt.job_id,
        notes=",".join(receipt.notes) or None,
    )
    return _answer(SUCCESS)


def on_association_requested(event: Event, callers: Callers, alerts: RejectionAlerts) -> None:
    """Reject callers that are not registered, and those for whom there is no place (PS3.8 §7.1.1.7), or no time.

    While the registry does not answer, nobody is rejected for good because of that: the association is let through, and
    each instance is answered 0xA700 until the registry is back and the caller has been checked.
    """
    association = cast(Acceptor, event.assoc)
    if _association_request(event).application_context_name != APPLICATION_CONTEXT_NAME:
        _reject(event, APPLICATION_CONTEXT_NOT_SUPPORTED, "APPLICATION_CONTEXT_NOT_SUPPORTED")
        return
    if association.server.terms.stopping.is_set():
        _reject(event, TEMPORARY_CONGESTION, "SHUTTING_DOWN")
        return
    calling_ae_title = str(_association_request(event).calling_ae_title).strip()
    try:
        refusal = callers.refusal(calling_ae_title, str(association.requestor.address))
    except TransientError as error:
        log_event(logger, "caller_not_checked", level=logging.WARNING, reason_code=error.code)
        refusal = None
        association.caller_is_checked = False
    if refusal is not None:
        _reject(event, CALLING_AE_TITLE_NOT_RECOGNISED, refusal)
        alerts.rejected(calling_ae_title, str(association.requestor.address), refusal)
    elif not association.server.terms.slots.take(calling_ae_title):
        _reject(event, LOCAL_LIMIT_EXCEEDED, "TOO_MANY_ASSOCIATIONS")
    else:
        association.slot_of = calling_ae_title


def on_association_rejected(event: Event) -> None:
    """Called when pynetdicom itself rejected: the called AE title is not ours."""
    _log_rejection(event, "CALLED_AE_TITLE_NOT_OURS")


def _require_checked(association: Acceptor, callers: Callers) -> None:
    """What could not be asked when the association was requested. Raises TransientError or RefusedObject."""
    if association.caller_is_checked:
        return
    caller = str(association.requestor.ae_title).strip()
    refusal = callers.refusal(caller, str(association.requestor.address))
    if refusal is not None:
        raise RefusedObject(refusal, "the calling AE title may not send, or not from this host", NOT_AUTHORISED)
    association.caller_is_checked = True


def _failed(event: Event, calling_ae_title: str, error: Exception) -> Dataset:
    status, comment = status_of(error), comment_of(error)
    foreseen = isinstance(error, RefusedObject | TransientError)
    log_event(
        logger,
        "instance_refused",
        level=logging.WARNING if foreseen else logging.ERROR,
        sop_instance_uid=str(cast(C_STORE, event.request).AffectedSOPInstanceUID),
        calling_ae_title=calling_ae_title,
        status=f"0x{status:04X}",
        # The message of an exception that nobody foresaw may quote a header; its type and place cannot.
        reason=comment if foreseen else f"{type(error).__module__}.{type(error).__qualname__} at {_place(error)}",
    )
    return _answer(status, comment)


def _answer(status: int, comment: str = "") -> Dataset:
    answer = Dataset()
    answer.Status = status
    if comment:
        answer.ErrorComment = comment
    return answer


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "?"


def _association_request(event: Event) -> A_ASSOCIATE:
    return cast(A_ASSOCIATE, event.assoc.requestor.primitive)


def _reject(event: Event, answer: tuple[int, int, int], reason_code: str) -> None:
    event.assoc.acse.send_reject(*answer)
    _log_rejection(event, reason_code)
    event.assoc.kill()


def _log_rejection(event: Event, reason_code: str) -> None:
    request = _association_request(event)
    log_event(
        logger,
        "association_rejected",
        level=logging.WARNING,
        calling_ae_title=str(request.calling_ae_title),
        called_ae_title=str(request.called_ae_title),
        address=str(event.assoc.requestor.address),
        reason_code=reason_code,
    )

"""Sending stored instances to a remote node by C-STORE (PS3.4 Annex B), and asking whether it is there by C-ECHO.

One association for a batch, one answer for every instance: an instance is SENT only on the peer's own Success or
Warning for it. The file's bytes go out unchanged where the peer accepts their transfer syntax.

What the peer may accept later is RETRY, and the caller bounds how often: it is away, busy, or being configured (a
rejected association, even one called permanent, mostly means an AE title that somebody is about to enter). What it will
never accept is REFUSED.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.uid import UID
from pynetdicom import _config
from pynetdicom.association import Association

from dicom_node.compression import WITHOUT_LOSS, uncompressed
from dicom_node.conformance import UNCOMPRESSED, requested_contexts, verification_context
from dicom_node.outgoing_association import NoAssociation, outgoing_association
from dicom_node.peer import Peer as Peer
from dicom_node.status import SUCCESS, Outcome, meaning_of

__all__ = ["EchoResult", "Outcome", "Peer", "StoreResult", "echo", "send"]


@dataclass(frozen=True)
class StoreResult:
    """What became of one instance; `status` None: there was no answer. `sop_instance_uid` "": it could not be read."""

    sop_instance_uid: str
    outcome: Outcome
    status: int | None
    code: str
    detail: str


@dataclass(frozen=True)
class EchoResult:
    """Whether the peer answered a C-ECHO with Success, and if not, what happened instead."""

    ok: bool
    detail: str


@dataclass(frozen=True)
class _Outgoing:
    path: Path
    sop_class_uid: UID
    sop_instance_uid: UID
    transfer_syntax_uid: UID


def send(paths: Sequence[Path], peer: Peer, *, calling_ae_title: str, timeout_s: float = 60.0) -> list[StoreResult]:
    """Send the DICOM files `paths` over one association; one result per path, in order.

    `timeout_s` bounds each wait for the peer. Errors of network, peer and files become results; nothing is raised.
    """
    opened = [_open(path) for path in paths]
    outgoing = [instance for instance in opened if isinstance(instance, _Outgoing)]
    sent: Iterator[StoreResult] = iter(())
    if outgoing:
        contexts = requested_contexts((o.sop_class_uid, o.transfer_syntax_uid) for o in outgoing)
        with outgoing_association(
            peer, contexts, calling_ae_title=calling_ae_title, timeout_s=timeout_s
        ) as association:
            sent = iter([_send_one(association, instance) for instance in outgoing])
    return [next(sent) if isinstance(instance, _Outgoing) else instance for instance in opened]


def echo(peer: Peer, *, calling_ae_title: str, timeout_s: float = 10.0) -> EchoResult:
    """Ask `peer` for a C-ECHO; nothing is raised."""
    with outgoing_association(
        peer, [verification_context()], calling_ae_title=calling_ae_title, timeout_s=timeout_s
    ) as association:
        if isinstance(association, NoAssociation):
            return EchoResult(False, association.detail)
        if not association.accepted_contexts:
            return EchoResult(False, "the peer does not accept Verification")
        status = association.send_c_echo().get("Status")
        if status == SUCCESS:
            return EchoResult(True, "")
        return EchoResult(False, "no answer" if status is None else f"answered 0x{status:04X}")


def _open(path: Path) -> _Outgoing | StoreResult:
    try:
        meta = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPInstanceUID"]).file_meta
        return _Outgoing(path, meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID)
    except Exception as error:
        detail = f"expected a DICOM file, found {type(error).__name__}"
        return StoreResult("", Outcome.REFUSED, None, "FILE_UNREADABLE", detail)


def _send_one(association: Association | NoAssociation, instance: _Outgoing) -> StoreResult:
    uid = str(instance.sop_instance_uid)
    if isinstance(association, NoAssociation):
        return StoreResult(uid, association.outcome, None, association.code, association.detail)
    if not association.is_established:
        return StoreResult(uid, Outcome.RETRY, None, "ASSOCIATION_LOST", "the association ended before this instance")
    accepted = {
        context.transfer_syntax[0]
        for context in association.accepted_contexts
        if context.abstract_syntax == instance.sop_class_uid
    }
    if not accepted:
        detail = f"the peer does not accept {instance.sop_class_uid.name}"
        return StoreResult(uid, Outcome.REFUSED, None, "SOP_CLASS_NOT_ACCEPTED", detail)
    as_it_is = instance.transfer_syntax_uid in accepted
    if not as_it_is and not (instance.transfer_syntax_uid in UNCOMPRESSED or _can_be_unpacked(instance, accepted)):
        detail = f"the peer does not accept {instance.transfer_syntax_uid.name}"
        return StoreResult(uid, Outcome.REFUSED, None, "TRANSFER_SYNTAX_NOT_ACCEPTED", detail)
    try:
        if as_it_is:
            # pynetdicom streams a file's bytes only under this flag; without it, it decodes and encodes them anew.
            _config.STORE_SEND_CHUNKED_DATASET = True
            answer = association.send_c_store(instance.path)
        else:
            dataset = pydicom.dcmread(instance.path)
            packed = instance.transfer_syntax_uid in WITHOUT_LOSS
            answer = association.send_c_store(uncompressed(dataset) if packed else dataset)
    except Exception as error:
        return StoreResult(uid, Outcome.RETRY, None, "SENDING_FAILED", f"{type(error).__name__} while sending")
    return _result(uid, answer.get("Status"), str(answer.get("ErrorComment") or ""))


def _can_be_unpacked(instance: _Outgoing, accepted: set[UID]) -> bool:
    """Compressed without loss, to a peer that takes it uncompressed only: the pixels arrive all the same."""
    return instance.transfer_syntax_uid in WITHOUT_LOSS and bool(accepted & set(UNCOMPRESSED))


def _result(uid: str, status: int | None, comment: str) -> StoreResult:
    if status is None:
        return StoreResult(uid, Outcome.RETRY, None, "NO_ANSWER", "no answer within the timeout, or the peer aborted")
    meaning = meaning_of(status)
    # The peer's Error Comment is its own text and may name the patient: it is shown to nobody.
    detail = f"0x{status:04X} {meaning.meaning}" + (" (with a comment)" if comment else "")
    return StoreResult(uid, meaning.outcome, status, meaning.code, detail)

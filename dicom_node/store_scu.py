"""Sending stored instances to a remote node by C-STORE (PS3.4 Annex B), and asking whether it is there by C-ECHO.

One association for a batch, one answer for every instance: an instance is SENT only on the peer's own Success or
Warning for it. The file's bytes go out unchanged where the peer accepts their transfer syntax.

What the peer may accept later is RETRY, and the caller bounds how often: it is away, busy, or being configured (a
rejected association, even one called permanent, mostly means an AE title that somebody is about to enter). What it will
never accept is REFUSED.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pydicom
from pydicom.uid import UID
from pynetdicom import AE, _config, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.presentation import PresentationContext

from dicom_node.conformance import UNCOMPRESSED, requested_contexts, verification_context
from dicom_node.status import SUCCESS, Outcome, meaning_of
from dicom_node.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from service.errors import PermanentError
from service.settings import checked_ae_title

__all__ = ["EchoResult", "Outcome", "Peer", "StoreResult", "echo", "send"]

CONNECTION_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Peer:
    """A remote application entity; `tls` None: not encrypted. Raises PermanentError when its AE title cannot be one."""

    ae_title: str
    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        try:
            checked_ae_title(self.ae_title)
        except ValueError as error:
            raise PermanentError("AE_TITLE_INVALID", str(error)) from None


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


@dataclass(frozen=True)
class _Failure:
    """Why there is no association."""

    code: str
    detail: str
    outcome: Outcome = Outcome.RETRY


def send(paths: Sequence[Path], peer: Peer, *, calling_ae_title: str, timeout_s: float = 60.0) -> list[StoreResult]:
    """Send the DICOM files `paths` over one association; one result per path, in order.

    `timeout_s` bounds each wait for the peer. Errors of network, peer and files become results; nothing is raised.
    """
    opened = [_open(path) for path in paths]
    outgoing = [instance for instance in opened if isinstance(instance, _Outgoing)]
    sent: Iterator[StoreResult] = iter(())
    if outgoing:
        contexts = requested_contexts((o.sop_class_uid, o.transfer_syntax_uid) for o in outgoing)
        with _association(peer, contexts, calling_ae_title, timeout_s) as association:
            sent = iter([_send_one(association, instance) for instance in outgoing])
    return [next(sent) if isinstance(instance, _Outgoing) else instance for instance in opened]


def echo(peer: Peer, *, calling_ae_title: str, timeout_s: float = 10.0) -> EchoResult:
    """Ask `peer` for a C-ECHO; nothing is raised."""
    with _association(peer, [verification_context()], calling_ae_title, timeout_s) as association:
        if isinstance(association, _Failure):
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


def _send_one(association: Association | _Failure, instance: _Outgoing) -> StoreResult:
    uid = str(instance.sop_instance_uid)
    if isinstance(association, _Failure):
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
    if instance.transfer_syntax_uid not in accepted and instance.transfer_syntax_uid not in UNCOMPRESSED:
        detail = f"the peer does not accept {instance.transfer_syntax_uid.name}"
        return StoreResult(uid, Outcome.REFUSED, None, "TRANSFER_SYNTAX_NOT_ACCEPTED", detail)
    try:
        if instance.transfer_syntax_uid in accepted:
            # pynetdicom streams a file's bytes only under this flag; without it, it decodes and encodes them anew.
            _config.STORE_SEND_CHUNKED_DATASET = True
            answer = association.send_c_store(instance.path)
        else:
            answer = association.send_c_store(pydicom.dcmread(instance.path))
    except Exception as error:
        return StoreResult(uid, Outcome.RETRY, None, "SENDING_FAILED", f"{type(error).__name__} while sending")
    return _result(uid, answer.get("Status"), str(answer.get("ErrorComment") or ""))


def _result(uid: str, status: int | None, comment: str) -> StoreResult:
    if status is None:
        return StoreResult(uid, Outcome.RETRY, None, "NO_ANSWER", "no answer within the timeout, or the peer aborted")
    meaning = meaning_of(status)
    # The peer's Error Comment is its own text and may name the patient: it is shown to nobody.
    detail = f"0x{status:04X} {meaning.meaning}" + (" (with a comment)" if comment else "")
    return StoreResult(uid, meaning.outcome, status, meaning.code, detail)


@contextmanager
def _association(
    peer: Peer, contexts: list[PresentationContext], calling_ae_title: str, timeout_s: float
) -> Iterator[Association | _Failure]:
    entity = AE(ae_title=calling_ae_title)
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.connection_timeout = min(timeout_s, CONNECTION_TIMEOUT_S)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = timeout_s
    connected: list[evt.Event] = []
    try:
        association = entity.associate(
            peer.host,
            peer.port,
            contexts,
            ae_title=peer.ae_title,
            evt_handlers=[(evt.EVT_CONN_OPEN, connected.append)],
            tls_args=None if peer.tls is None else (peer.tls, peer.host),
        )
    except (OSError, UnicodeError) as error:  # a host name that does not resolve, or that TLS cannot ask for
        yield _Failure("CONNECTION_FAILED", f"cannot connect to {peer.host}:{peer.port} ({type(error).__name__})")
        return
    if not association.is_established:
        yield _not_established(association, peer, connected=bool(connected))
        return
    try:
        yield association
    finally:
        _end(association)


def _end(association: Association) -> None:
    if association.is_established:
        association.release()


def _not_established(association: Association, peer: Peer, *, connected: bool) -> _Failure:
    if association.is_rejected:
        answer = cast(A_ASSOCIATE, association.acceptor.primitive)
        return _Failure("ASSOCIATION_REJECTED", f"{answer.result_str}: {answer.reason_str}")
    if not connected:
        return _Failure("CONNECTION_FAILED", f"cannot connect to {peer.host}:{peer.port}")
    if association.rejected_contexts and not association.accepted_contexts:
        return _Failure("SOP_CLASS_NOT_ACCEPTED", "the peer accepts none of the SOP classes proposed", Outcome.REFUSED)
    return _Failure("ASSOCIATION_FAILED", "the peer did not answer the association request, or aborted it")

"""An association that we request (PS3.8 §7.1).

Whatever keeps it from being established is a value, `NoAssociation`; nothing is raised. What the peer may accept later
is RETRY: a rejected association, even one called permanent, mostly means an AE title that somebody is about to enter.

It is released at the end, within a bounded time: a peer that sends while we release would otherwise hold us both (its
N-EVENT-REPORT waits for an answer that nobody may give any more).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE, SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext

from dicom_node.peer import Peer
from dicom_node.status import Outcome
from dicom_node.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

CONNECTION_TIMEOUT_S = 10.0
RELEASE_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class NoAssociation:
    """Why there is no association, and whether another attempt may help."""

    outcome: Outcome
    code: str
    detail: str


@contextmanager
def outgoing_association(
    peer: Peer,
    contexts: Sequence[PresentationContext],
    *,
    calling_ae_title: str,
    timeout_s: float,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    evt_handlers: Sequence[evt.EventHandlerType] = (),
) -> Iterator[Association | NoAssociation]:
    """Associate with `peer`, encrypted if it says so, until the block ends; `timeout_s` bounds each wait for it."""
    association = associate(
        peer,
        contexts,
        calling_ae_title=calling_ae_title,
        timeout_s=timeout_s,
        roles=roles,
        evt_handlers=evt_handlers,
    )
    if isinstance(association, NoAssociation):
        yield association
        return
    try:
        yield association
    finally:
        release(association, timeout_s)


def associate(
    peer: Peer,
    contexts: Sequence[PresentationContext],
    *,
    calling_ae_title: str,
    timeout_s: float,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    evt_handlers: Sequence[evt.EventHandlerType] = (),
) -> Association | NoAssociation:
    """An established association, which the caller has to `release`; `timeout_s` bounds each wait for the peer."""
    entity = AE(ae_title=calling_ae_title)
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.connection_timeout = min(timeout_s, CONNECTION_TIMEOUT_S)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = timeout_s
    connected: list[evt.Event] = []

    def on_connection(event: evt.Event) -> None:
        connected.append(event)
        _send_without_delay(event.assoc)

    handlers: list[evt.EventHandlerType] = [(evt.EVT_CONN_OPEN, on_connection), *evt_handlers]
    try:
        association = entity.associate(
            peer.host,
            peer.port,
            list(contexts),
            ae_title=peer.ae_title,
            evt_handlers=handlers,
            ext_neg=list(roles),
            tls_args=None if peer.tls is None else (peer.tls, peer.host),
        )
    except (OSError, UnicodeError) as error:  # a host name that does not resolve, a certificate that is not theirs
        where = f"{peer.host}:{peer.port}"
        return NoAssociation(Outcome.RETRY, "CONNECTION_FAILED", f"cannot connect to {where} ({type(error).__name__})")
    if not association.is_established:
        return _why_not(association, peer, connected=bool(connected))
    return association


def release(association: Association, timeout_s: float = RELEASE_TIMEOUT_S) -> None:
    """Release the association if it still stands, within a bounded time."""
    bound_s = min(timeout_s, RELEASE_TIMEOUT_S)
    association.acse_timeout = bound_s
    if not association.is_established:
        return
    if _stands_still(association, bound_s):
        association.release()
    else:
        association.abort()


def _stands_still(association: Association, within_s: float) -> bool:
    """Ask the association's thread to pause; whether it has.

    `Association.release` does so too, and would wait for ever for a thread that never does, because the peer was in
    the middle of something of its own when we began to leave.
    """
    association._reactor_checkpoint.clear()
    deadline = time.monotonic() + within_s
    while not association._is_paused:
        if time.monotonic() > deadline or not association.is_alive():
            return False
        time.sleep(0.001)
    return True


def _send_without_delay(association: Association) -> None:
    # Nagle's algorithm holds the end of a message back until the peer has acknowledged the part before it, which the
    # peer's system does after 40 ms, or with its answer: each message would cost that much.
    held = association.dul.socket
    if held is not None and held.socket is not None:
        held.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _why_not(association: Association, peer: Peer, *, connected: bool) -> NoAssociation:
    if association.is_rejected:
        answer = cast(A_ASSOCIATE, association.acceptor.primitive)
        detail = f"{answer.result_str}: {answer.reason_str}"
        return NoAssociation(Outcome.RETRY, "ASSOCIATION_REJECTED", detail)
    if not connected:
        return NoAssociation(Outcome.RETRY, "CONNECTION_FAILED", f"cannot connect to {peer.host}:{peer.port}")
    if association.rejected_contexts and not association.accepted_contexts:
        detail = "the peer accepts none of the SOP classes proposed"
        return NoAssociation(Outcome.REFUSED, "SOP_CLASS_NOT_ACCEPTED", detail)
    detail = "the peer did not answer the association request, or aborted it"
    return NoAssociation(Outcome.RETRY, "ASSOCIATION_FAILED", detail)

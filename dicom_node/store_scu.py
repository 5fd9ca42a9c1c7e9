"""Sending stored instances to a remote node by C-STORE (PS3.4 Annex B), and asking whether it is there by C-ECHO.

One association for a batch, one answer for every instance: an instance is SENT only on the peer's own Success or
Warning for it (`dicom_node.store_operation`). What arrives one by one goes over `dicom_node.kept_associations` instead.

What the peer may accept later is RETRY, and the caller bounds how often: it is away, busy, or being configured (a
rejected association, even one called permanent, mostly means an AE title that somebody is about to enter). What it will
never accept is REFUSED.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dicom_node.conformance import requested_contexts, verification_context
from dicom_node.outgoing_association import NoAssociation, outgoing_association
from dicom_node.peer import Peer as Peer
from dicom_node.status import SUCCESS, Outcome
from dicom_node.store_operation import Outgoing, StoreResult, read_outgoing, store

__all__ = ["EchoResult", "Outcome", "Peer", "StoreResult", "echo", "send"]


@dataclass(frozen=True)
class EchoResult:
    """Whether the peer answered a C-ECHO with Success, and if not, what happened instead."""

    ok: bool
    detail: str


def send(paths: Sequence[Path], peer: Peer, *, calling_ae_title: str, timeout_s: float = 60.0) -> list[StoreResult]:
    """Send the DICOM files `paths` over one association; one result per path, in order.

    `timeout_s` bounds each wait for the peer. Errors of network, peer and files become results; nothing is raised.
    """
    opened = [read_outgoing(path) for path in paths]
    outgoing = [instance for instance in opened if isinstance(instance, Outgoing)]
    sent: Iterator[StoreResult] = iter(())
    if outgoing:
        contexts = requested_contexts(instance.stored_in for instance in outgoing)
        with outgoing_association(
            peer, contexts, calling_ae_title=calling_ae_title, timeout_s=timeout_s
        ) as association:
            sent = iter([store(association, instance, number=n) for n, instance in enumerate(outgoing, 1)])
    return [next(sent) if isinstance(instance, Outgoing) else instance for instance in opened]


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

"""Limits on what one connection may cost, which pynetdicom leaves to its user.

A peer that falls silent within a PDU would hold its thread for ever, one that never ends a data set would fill the
memory, and connections that never ask for an association would take the places of those that do. All of them end with
the connection, and the node goes on.
"""

from __future__ import annotations

import logging
import socket
from typing import cast

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.pdu_primitives import A_ASSOCIATE

from service.logs import log_event

logger = logging.getLogger(__name__)

_RECEIVED = "_softray_bytes_of_message"  # kept on the association, so that it goes when the association does
_COMMAND_SET_BYTES = 65536
_LONGEST_REQUEST_BYTES = 1024 * 1024  # 128 presentation contexts with every transfer syntax there is
_READ_BYTES = 65536


class GuardedEntity(AE):
    """An application entity that counts as associations only connections that have asked for one (PS3.8 §9.2.2)."""

    @property
    def active_associations(self) -> list[Association]:
        """Associations asked for and not ended yet; pynetdicom compares their number with `maximum_associations`."""
        return [association for association in super().active_associations if association.requestor.primitive]

    def silent_connections(self) -> list[Association]:
        """Connections that have not asked for an association, the oldest first."""
        return [association for association in super().active_associations if not association.requestor.primitive]

    def drop_silent_connections(self, keep: int) -> None:
        """Close all but the `keep` newest of them."""
        silent = self.silent_connections()
        for association in silent[: max(0, len(silent) - keep)]:
            association.dul.kill_dul()
            # Wakes the association's thread as its timeout would: it ends itself and closes the socket.
            association.dul.to_user_queue.put(cast(A_ASSOCIATE, None))


def on_connection_opened(event: Event, network_timeout_s: float, largest_pdu: int) -> None:
    """Bound every wait and every read on the new connection's socket, and answer without waiting for more to send."""
    wrapped = event.assoc.dul.socket
    accepted = wrapped.socket if wrapped is not None else None
    if wrapped is None or accepted is None:  # gone already
        return
    entity = cast(GuardedEntity, event.assoc.ae)
    entity.drop_silent_connections(keep=entity.maximum_associations)
    accepted.settimeout(network_timeout_s)
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # pynetdicom's own read believes any announced length and takes 4 KiB at a time.
    wrapped.recv = BoundedReader(accepted, largest_pdu)  # type: ignore[method-assign]


def largest_pdu(max_pdu: int, max_instance_bytes: int) -> int:
    """The longest PDU read, in bytes: what we announce (0: as long as an instance), but room for any request."""
    return max(max_pdu or max_instance_bytes + _COMMAND_SET_BYTES, _LONGEST_REQUEST_BYTES)


class BoundedReader:
    """Reads the announced number of bytes, unless that is more than `largest`: then the connection counts as lost."""

    def __init__(self, accepted: socket.socket, largest: int) -> None:
        self._accepted = accepted
        self._largest = largest

    def __call__(self, nr_bytes: int) -> bytearray:
        """`nr_bytes` bytes, fewer when the peer closed. Raises OSError, which pynetdicom takes as a lost connection."""
        if nr_bytes > self._largest:
            log_event(logger, "pdu_too_large", level=logging.WARNING, announced_bytes=nr_bytes)
            raise OSError(f"expected a PDU of at most {self._largest} bytes, found {nr_bytes}")
        received = bytearray()
        while len(received) < nr_bytes:
            part = self._accepted.recv(min(nr_bytes - len(received), _READ_BYTES))
            if not part:
                break
            received += part
        return received


def on_pdu_received(event: Event, max_instance_bytes: int) -> None:
    """Abort an association whose current message grows past the largest instance accepted."""
    if not isinstance(event.pdu, P_DATA_TF):
        return
    received = getattr(event.assoc, _RECEIVED, 0) + len(event.pdu)
    setattr(event.assoc, _RECEIVED, received)
    if received > max_instance_bytes + _COMMAND_SET_BYTES and not event.assoc.is_aborted:
        log_event(logger, "message_too_large", level=logging.WARNING, received_bytes=received)
        event.assoc.abort(block=False)


def on_message_received(event: Event) -> None:
    """A whole message is there: the next one starts at zero."""
    setattr(event.assoc, _RECEIVED, 0)

"""Limits on what one connection may cost, which pynetdicom leaves to its user.

A peer that falls silent within a PDU would hold its thread for ever, and one that never ends a data set would fill the
memory. Both end with the connection, and the node goes on.
"""

from __future__ import annotations

import logging
import socket

from pynetdicom.events import Event
from pynetdicom.pdu import P_DATA_TF

from service.logs import log_event

logger = logging.getLogger(__name__)

_RECEIVED = "_softray_bytes_of_message"  # kept on the association, so that it goes when the association does
_COMMAND_SET_BYTES = 65536


def on_connection_opened(event: Event, network_timeout_s: float) -> None:
    """Bound every wait on the new connection's socket, and answer without waiting for more to send."""
    wrapped = event.assoc.dul.socket
    accepted = wrapped.socket if wrapped is not None else None
    if accepted is None:  # gone already
        return
    accepted.settimeout(network_timeout_s)
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


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

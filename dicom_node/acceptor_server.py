"""A port of the node: accepts connections and gives each an `Acceptor`; nothing a peer does can hold it up.

Connections without an association (not asked for yet, or over) are bounded too: past `max_waiting` the oldest
are closed.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from socket import socket
from typing import Any, cast

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.transport import AssociationServer

from dicom_node.acceptor import Acceptor
from dicom_node.association_slots import AssociationSlots
from dicom_node.message_assembly import OpenArrival
from service.logs import log_event

logger = logging.getLogger(__name__)

_PAUSE_S = 0.1  # when no more connections can be accepted, as with too many open files


@dataclass(frozen=True)
class AcceptorTerms:
    """What every association of a port shares. `largest_pdu` in bytes; `tls` None: not encrypted.

    Once `stopping` is set, no association is accepted any more.
    """

    slots: AssociationSlots
    open_arrival: OpenArrival
    largest_pdu: int
    max_waiting: int
    tls: ssl.SSLContext | None = None
    stopping: threading.Event = field(default_factory=threading.Event)


class AcceptorServer(AssociationServer):
    """Listens once it is made; `run` accepts until `shutdown`."""

    request_queue_size = 128

    def __init__(
        self, entity: AE, address: tuple[str, int], terms: AcceptorTerms, handlers: Sequence[evt.EventHandlerType]
    ) -> None:
        self.terms = terms
        self._acceptors: dict[Acceptor, None] = {}  # in order of arrival
        self._lock = threading.Lock()
        super().__init__(entity, address, entity.ae_title, entity.supported_contexts, evt_handlers=list(handlers))

    def process_request(self, request: socket | tuple[bytes, socket], client_address: tuple[str, int] | str) -> None:
        """Serve the connection in a thread of its own."""
        acceptor = Acceptor(self, cast(socket, request), cast(tuple[str, int], client_address))
        with self._lock:
            waiting = [held for held in self._acceptors if held.is_waiting]
            self._acceptors[acceptor] = None
        for oldest in waiting[: max(0, len(waiting) + 1 - self.terms.max_waiting)]:
            log_event(logger, "connection_dropped", level=logging.WARNING, reason_code="TOO_MANY_CONNECTIONS")
            oldest.close()
        try:
            acceptor.start()
        except RuntimeError:  # no thread to be had: nobody would ever forget this one
            self.forget(acceptor)
            raise

    def get_request(self) -> tuple[socket, tuple[str, int]]:
        """Accept; TLS is the acceptor's own business, which may take its time."""
        try:
            connection, address = cast(socket, self.socket).accept()
        except OSError as error:
            log_event(logger, "accept_failed", level=logging.ERROR, reason=error.strerror or type(error).__name__)
            time.sleep(_PAUSE_S)
            raise
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that could not be begun is closed, with a line in the log instead of a traceback."""
        log_event(logger, "connection_dropped", level=logging.ERROR, reason_code="NO_THREAD")

    def _bind_defaults(self) -> None:
        """pynetdicom's default answers, without its handlers that put every message into words for the log."""
        for event in evt._INTERVENTION_EVENTS:
            self.bind(event, evt.get_default_handler(event))

    def service_actions(self) -> None:
        """Nothing: pynetdicom collects all garbage here, every sixty connections."""

    def handlers_for_one(self) -> dict[Any, Any]:
        """The events' handlers, as one association holds them."""
        return {event: bound.copy() if isinstance(bound, list) else bound for event, bound in self._handlers.items()}

    def forget(self, acceptor: Acceptor) -> None:
        """The connection has ended."""
        with self._lock:
            self._acceptors.pop(acceptor, None)

    @property
    def active_associations(self) -> list[Association]:
        """Associations asked for and not ended yet (PS3.8 §9.2.2)."""
        with self._lock:
            return [held for held in self._acceptors if not held.is_waiting]

    @property
    def connections(self) -> list[Acceptor]:
        """Every connection that is open."""
        with self._lock:
            return list(self._acceptors)

    def shutdown(self) -> None:
        """Accept no more and close the port; what runs goes on."""
        super(AssociationServer, self).shutdown()
        self.server_close()

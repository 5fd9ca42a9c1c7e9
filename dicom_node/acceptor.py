"""One association that we accept: its connection, its TLS handshake, its messages, its end; all in one thread.

pynetdicom negotiates and runs the services; waiting, reading and closing are ours (`upper_layer`).
"""

from __future__ import annotations

import logging
import queue
import socket
import ssl
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, cast

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.transport import AddressInformation, AssociationSocket

from dicom_node.message_assembly import MessageAssembly
from dicom_node.upper_layer import UpperLayer
from service.logs import log_event

if TYPE_CHECKING:
    from dicom_node.acceptor_server import AcceptorServer

logger = logging.getLogger(__name__)


class Acceptor(Association):
    """The thread of one connection. `start` it; it ends by itself, and `close` makes it end."""

    upper_layer: UpperLayer

    def __init__(self, server: AcceptorServer, connection: socket.socket, address: tuple[str, int]) -> None:
        entity, terms = server.ae, server.terms
        super().__init__(entity, "acceptor")
        self._server = self.server = server
        self._connection = connection
        self.assembly = MessageAssembly(self, terms.open_arrival)
        self.upper_layer = self.dul = UpperLayer(self, self.assembly, terms.largest_pdu)
        self.dimse = _Messages(self)
        self.acse_timeout = entity.acse_timeout  # these reach the timers of the new upper layer
        self.network_timeout = entity.network_timeout
        self.slot_of: str | None = None
        self.caller_is_checked = True
        self._answering = False
        self.message_ended_at = time.monotonic()
        self.acceptor.maximum_length = entity.maximum_pdu_size
        self.acceptor.ae_title = server.ae_title
        self.acceptor.address_info = AddressInformation.from_tuple(server.server_address)
        self.acceptor.implementation_class_uid = entity.implementation_class_uid
        self.acceptor.implementation_version_name = entity.implementation_version_name
        self.acceptor.supported_contexts = server.contexts
        self.requestor.address_info = AddressInformation.from_tuple(address)
        self._handlers = server.handlers_for_one()
        self.name = f"AcceptorThread@{address[0]}:{address[1]}"

    def _bind_defaults(self) -> None:
        """Nothing: the server's handlers, which hold the defaults, are all there are."""

    @property
    def is_waiting(self) -> bool:
        """Whether it holds a connection but no association: not asked for yet, or over."""
        return self.requestor.primitive is None or self.upper_layer.closing

    @property
    def goes_on(self) -> bool:
        """Whether the association is established, and nobody has ended it."""
        return self.is_established and not self._kill and not self.upper_layer.ended

    @property
    def in_message(self) -> bool:
        """Whether a request is arriving, or waits for its answer; `message_ended_at` says since when none is."""
        return self._answering or self.assembly.in_message

    def run_reactor(self) -> None:
        """From the connection's first byte to its last; nothing is raised."""
        try:
            if self._secured():
                self._associate()
        except Exception as error:
            _log_failure(error)
            self.upper_layer.abort_and_end()
        finally:
            self._end()

    def kill(self) -> None:
        """Do not go on; said by pynetdicom in the middle of its work, so that nothing is closed yet."""
        self._reactor_checkpoint.set()
        self._kill = True
        self.is_established = False

    def close(self) -> None:
        """From any thread: end now, whatever is under way."""
        self.kill()
        for half in (self._connection, self.dul.socket.socket if self.dul.socket else None):
            if half is not None:
                try:
                    half.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def _secured(self) -> bool:
        """Whether the connection can be used: the TLS handshake is done, if there is to be one."""
        terms = self.server.terms
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if terms.tls is not None:
            self._connection.settimeout(self.acse_timeout)
            try:
                self._connection = terms.tls.wrap_socket(self._connection, server_side=True)
            except (OSError, ValueError) as error:
                reason = error.reason if isinstance(error, ssl.SSLError) else None
                log_event(
                    logger,
                    "tls_handshake_failed",
                    level=logging.WARNING,
                    address=str(self.requestor.address),
                    reason_code="TLS_TIMEOUT" if isinstance(error, TimeoutError) else reason or type(error).__name__,
                )
                return False
        self.set_socket(AssociationSocket(self, client_socket=self._connection))
        self.upper_layer.connect(self._connection, self.network_timeout or 60.0)
        return True

    def _associate(self) -> None:
        evt.trigger(self, evt.EVT_CONN_OPEN, {"address": self.requestor.address_info})
        self._dul_ready.set()
        request = self.upper_layer.receive_pdu(wait=True, timeout=self.acse_timeout)
        if not isinstance(request, A_ASSOCIATE):
            return
        self.requestor.primitive = request
        self._negotiate()
        while self.goes_on:
            self._serve_next()
        self._give_back_slot()  # before its last PDU: whoever waits for that gets the place

    def _negotiate(self) -> None:
        """Accept or reject; a request that nobody can make sense of is aborted."""
        evt.trigger(self, evt.EVT_REQUESTED, {})
        if self.is_aborted or self.is_rejected:
            return
        try:
            if self.slot_of is None:  # pynetdicom swallows what its handlers raise: nobody gets in by that
                raise RuntimeError("the request was not judged")
            if not cast(A_ASSOCIATE, self.requestor.primitive).presentation_context_definition_list:
                raise ValueError("expected a presentation context, found none")
            self.acse.negotiate_association()
        except Exception as error:
            log_event(
                logger,
                "association_request_unusable",
                level=logging.WARNING,
                address=str(self.requestor.address),
                reason=type(error).__name__,
            )
            self.upper_layer.abort_and_end()

    def _serve_next(self) -> None:
        self.upper_layer.advance()
        self._is_paused = not self._reactor_checkpoint.is_set()
        if self._is_paused:  # another thread speaks over this association and takes its answers
            return
        try:
            context_id, message = self.dimse.msg_queue.get_nowait()
        except queue.Empty:
            context_id = message = None
        if message is not None:
            self._answer(message, cast(int, context_id))
        if self.is_established and self.acse.is_release_requested():
            self._give_back_slot()
            self.acse.send_release(is_response=True)
            self.is_released, self.is_established = True, False
            evt.trigger(self, evt.EVT_RELEASED, {})
        elif self.acse.is_aborted():
            self.dul.receive_pdu(wait=False)
            self.is_aborted, self.is_established = True, False
            evt.trigger(self, evt.EVT_ABORTED, {})
        elif self.is_established and self.dul.idle_timer_expired():
            log_event(logger, "association_idle", level=logging.WARNING, calling_ae_title=self.requestor.ae_title)
            self.abort(block=False)

    def _answer(self, message: Any, context_id: int) -> None:
        self._answering = True
        try:
            self._serve_request(message, context_id)
        finally:
            self.message_ended_at = time.monotonic()
            self._answering = False

    def _end(self) -> None:
        self._give_back_slot()
        try:
            self.upper_layer.linger()
        except Exception as error:
            _log_failure(error)
        self.is_established = False
        self.assembly.discard()
        self.upper_layer.disconnect()
        try:
            self._connection.close()
        finally:
            self.server.forget(self)

    def _give_back_slot(self) -> None:
        title, self.slot_of = self.slot_of, None
        if title is not None:
            self.server.terms.slots.give_back(title)


class _Messages(DIMSEServiceProvider):
    """Waiting for a message in the association's own thread means working for it."""

    def get_msg(self, block: bool = False) -> Any:
        """The next message and the ID of its context, or (None, None)."""
        association = cast(Acceptor, self.assoc)
        if block and threading.current_thread() is association:
            deadline = time.monotonic() + (association.dimse_timeout or 30.0)
            while self.msg_queue.empty() and not association.upper_layer.ended and time.monotonic() < deadline:
                association.upper_layer.advance()
            block = False
        return super().get_msg(block)


def _log_failure(error: Exception) -> None:
    place = traceback.extract_tb(error.__traceback__)[-1]
    log_event(
        logger,
        "association_failed",
        level=logging.ERROR,
        reason=f"{type(error).__name__} at {place.filename}:{place.lineno}",
    )

"""The DICOM upper layer of one association that we accept (PS3.8 §9), on pynetdicom's state machine, without its loops.

pynetdicom runs it in a thread of its own that looks for work a thousand times a second and copies every PDU several
times. Here the association's only thread calls `advance`, which sleeps until there is something to do, and the bulk of
a C-STORE goes from the socket straight to where it is kept (`message_assembly`).

A peer that sends what it may not, or too little of it in its time, gets an A-ABORT; one that has to go gets
ARTIM_CLOSING_S to close the connection itself (PS3.8 §9.1.5), then it is closed.
"""

from __future__ import annotations

import logging
import math
import socket
import ssl
import struct
import threading
import time

from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu import A_ABORT_RQ
from pynetdicom.pdu_primitives import A_ABORT, A_ASSOCIATE, A_P_ABORT, A_RELEASE, P_DATA

from dicom_node.arrival import DataSetTooLargeError
from dicom_node.message_assembly import MalformedMessageError, MessageAssembly
from dicom_node.socket_reader import PeerSilentError, SocketReader
from service.logs import log_event

logger = logging.getLogger(__name__)

ARTIM_CLOSING_S = 5.0
HALF_CLOSE_S = 0.5
LONGEST_REQUEST_BYTES = 1024 * 1024  # 128 presentation contexts with every transfer syntax there is
_WAIT_S = 0.05  # how soon what another thread wants sent is noticed
_PDU_TYPES = frozenset(range(0x01, 0x08))
_P_DATA_TF = 0x04

# States of PS3.8 Table 9-10 and events of Table 9-9 by pynetdicom's names.
_IDLE, _AWAITING_REQUEST, _ESTABLISHED, _CLOSING = "Sta1", "Sta2", "Sta6", "Sta13"
_ARTIM_EXPIRED, _CONNECTION_CLOSED, _INVALID_PDU = "Evt18", "Evt17", "Evt19"


class UpperLayer(DULServiceProvider):
    """Driven by the association's thread; other threads may only have something sent."""

    def __init__(self, association: Association, assembly: MessageAssembly, largest_pdu: int) -> None:
        super().__init__(association)
        self._assembly = assembly
        self._largest_pdu = largest_pdu
        self._reader: SocketReader | None = None

    def connect(self, connection: socket.socket, network_timeout_s: float) -> None:
        """Take over an accepted connection."""
        self._reader = SocketReader(connection, network_timeout_s)

    def disconnect(self) -> None:
        """Let go of the connection and of its buffer."""
        self._reader = None
        self._kill_thread = True

    @property
    def ended(self) -> bool:
        """Whether the state machine has come back to idle."""
        return self._kill_thread

    @property
    def closing(self) -> bool:
        """Whether only the end of the connection is waited for."""
        return self.state_machine.current_state == _CLOSING

    def advance(self, wait_s: float = _WAIT_S) -> bool:
        """Do the next thing there is to do, waiting at most `wait_s` for it; False: there was none."""
        if self._kill_thread:
            return False
        if self.event_queue.empty():
            self._look(wait_s)
        if self.event_queue.empty():
            return False
        self._act(self.event_queue.get_nowait())
        return True

    def send_pdu(self, primitive: A_ASSOCIATE | A_RELEASE | A_ABORT | A_P_ABORT | P_DATA) -> None:
        """Send at once in the association's own thread, at its next `advance` otherwise."""
        super().send_pdu(primitive)
        if threading.current_thread() is self.assoc:
            while not self._kill_thread and self._process_recv_primitive():
                self._act(self.event_queue.get_nowait())
        self._idle_timer.restart()

    def receive_pdu(
        self, wait: bool = False, timeout: float | None = None
    ) -> A_ASSOCIATE | A_RELEASE | A_ABORT | A_P_ABORT | None:
        """The next primitive for the association; waiting for one means working for it."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while wait and self.to_user_queue.empty() and not self._kill_thread and not self.closing:
            if deadline is not None and time.monotonic() > deadline:
                break
            self.advance()
        return super().receive_pdu(wait=False)

    def linger(self) -> None:
        """Wait for the peer to close the connection, ARTIM_CLOSING_S at most (PS3.8 §9.1.5, state Sta13)."""
        if not self.closing:
            return
        self.artim_timer.timeout = min(ARTIM_CLOSING_S, self.artim_timer.timeout or ARTIM_CLOSING_S)
        half_close_at = time.monotonic() + HALF_CLOSE_S
        while not self._kill_thread:
            self.advance()
            if time.monotonic() > half_close_at:
                self._half_close()
                half_close_at = math.inf

    def _half_close(self) -> None:
        """Let a peer that only reads see the end. With TLS it would look like a truncation: it waits for the timer."""
        connection = self._connection()
        if connection is not None and not isinstance(connection, ssl.SSLSocket):
            try:
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                self.event_queue.put(_CONNECTION_CLOSED)

    def _look(self, wait_s: float) -> None:
        """Put the event of the next thing to do into the queue, if there is one within `wait_s`."""
        if self.artim_timer.expired:
            self.event_queue.put(_ARTIM_EXPIRED)
        elif not self._process_recv_primitive() and self._reader is not None and self._reader.ready(wait_s):
            self._read(self._reader)

    def _act(self, event: str) -> None:
        try:
            self.state_machine.do_action(event)
        except Exception as error:  # an event that the state does not know, or a peer's value that no one can take
            self._log("pdu_unusable", reason=type(error).__name__)
            self.abort_and_end()

    def abort_and_end(self) -> None:
        """Tell the peer, and do nothing more."""
        abort = A_ABORT_RQ()
        abort.source, abort.reason_diagnostic = 0x02, 0x00  # PS3.8 Table 9-26: service provider, reason not specified
        if self.socket is not None and self.socket.socket is not None:
            self.socket.send(abort.encode())
        self.assoc.is_aborted = True
        self.assoc.is_established = False
        self._kill_thread = True

    def _read(self, reader: SocketReader) -> None:
        state = self.state_machine.current_state
        try:
            if state == _CLOSING:
                reader.skip()
                return
            if state == _AWAITING_REQUEST:
                with reader.within(min(reader.timeout_s, max(self.artim_timer.remaining, 0.001))):
                    self._read_pdu(reader, state)
            else:
                self._read_pdu(reader, state)
            self._idle_timer.restart()
        except PeerSilentError:
            self._log("peer_silent", state=state)
            self.event_queue.put(_ARTIM_EXPIRED if state == _AWAITING_REQUEST else _INVALID_PDU)
        except OSError:
            self.event_queue.put(_CONNECTION_CLOSED)
        except DataSetTooLargeError as error:
            self._log("message_too_large", reason=str(error))
            self.event_queue.put(_INVALID_PDU)
        except MalformedMessageError as error:
            self._log("message_malformed", reason=str(error))
            self.event_queue.put(_INVALID_PDU)

    def _read_pdu(self, reader: SocketReader, state: str) -> None:
        pdu_type, _, length = struct.unpack(">BBL", reader.exactly(6))
        if pdu_type not in _PDU_TYPES:
            raise MalformedMessageError(f"expected a PDU type of 1 to 7, found {pdu_type}")
        established = state == _ESTABLISHED and pdu_type == _P_DATA_TF
        largest = self._largest_pdu if pdu_type == _P_DATA_TF else LONGEST_REQUEST_BYTES
        if length > largest:
            raise MalformedMessageError(f"expected a PDU of at most {largest} bytes, found {length}")
        if established:
            self._assembly.read_p_data(length, reader)
            return
        content = reader.exactly(length)
        try:
            pdu, event = self._decode_pdu(bytearray(struct.pack(">BBL", pdu_type, 0, length) + content))
        except Exception as error:
            raise MalformedMessageError(f"expected a PDU of type {pdu_type}, found {type(error).__name__}") from None
        self._recv_pdu.put(pdu)
        self.event_queue.put(event)

    def _connection(self) -> socket.socket | None:
        return None if self.socket is None else self.socket.socket

    def _log(self, event: str, **fields: str) -> None:
        log_event(logger, event, level=logging.WARNING, address=str(self.assoc.requestor.address), **fields)

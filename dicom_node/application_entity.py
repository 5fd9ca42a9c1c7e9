"""The node's application entity: an SCP that listens, and stops without breaking off what it is receiving."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import cast

from pydicom.uid import UID
from pynetdicom import AE, evt
from pynetdicom.association import Association

from dicom_node import handlers
from dicom_node.acceptor import Acceptor
from dicom_node.acceptor_server import AcceptorServer, AcceptorTerms
from dicom_node.association_slots import AssociationSlots
from dicom_node.commitment_handlers import PromiseBook, on_n_action, on_n_event_report
from dicom_node.commitment_registry import RegistryReports
from dicom_node.conformance import supported_contexts
from dicom_node.intake import Intake
from dicom_node.rejection_alerts import RejectionAlerts
from dicom_node.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from service.errors import ConfigurationError
from service.logs import log_event

logger = logging.getLogger(__name__)

FINISH_S = 10.0
REFUSE_S = 2.0
ABORT_S = 0.5
_COMMAND_SET_BYTES = 65536
_UNCOUNTED = 1_000_000  # associations are counted by AssociationSlots


@dataclass(frozen=True)
class NodeAddress:
    """Where the node listens and under which AE title; port 0 takes a free one, None is not listened on.

    `tls_port` is for encrypted associations only, `port` for plain ones only.
    """

    ae_title: str
    host: str
    port: int | None
    tls_port: int | None = None


@dataclass(frozen=True)
class AssociationLimits:
    """Number of associations, largest PDU received in bytes (0: no limit), and timeouts in s.

    `max_waiting` bounds the connections without an association, on each port.
    """

    max_associations: int = 25
    max_pdu: int = 131072
    network_timeout_s: float = 60.0
    dimse_timeout_s: float = 30.0
    acse_timeout_s: float = 30.0
    max_associations_per_caller: int = 20
    max_waiting: int = 256


class ListeningEntity(AE):
    """An application entity whose associations are those of our own servers."""

    def __init__(self, ae_title: str) -> None:
        super().__init__(ae_title)
        self.servers: list[AcceptorServer] = []

    @property
    def active_associations(self) -> list[Association]:
        """Associations asked for and not ended yet."""
        return [association for server in self.servers for association in server.active_associations]


def build_application_entity(ae_title: str, limits: AssociationLimits, *, commits: bool = False) -> ListeningEntity:
    """An application entity with our identity and timeouts, accepting what `conformance` offers."""
    entity = ListeningEntity(ae_title)
    for context in supported_contexts(commits=commits):  # assigned as a list they would lose their roles
        syntaxes: list[str | UID] = list(context.transfer_syntax)
        entity.add_supported_context(cast(UID, context.abstract_syntax), syntaxes, context.scu_role, context.scp_role)
    entity.require_called_aet = True
    entity.maximum_associations = _UNCOUNTED
    entity.maximum_pdu_size = limits.max_pdu
    entity.network_timeout = limits.network_timeout_s
    entity.dimse_timeout = limits.dimse_timeout_s
    entity.acse_timeout = limits.acse_timeout_s
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    return entity


def largest_pdu(max_pdu: int, max_instance_bytes: int) -> int:
    """The longest P-DATA-TF PDU read, in bytes: what we announce (0: as long as an instance and its command)."""
    return max_pdu or max_instance_bytes + _COMMAND_SET_BYTES


class Node:
    """The listening node. `start` returns once it listens; `port` and `tls_port` are then the real ones.

    `tls` is the context of the port for encrypted associations; without it `tls_port` cannot be had. `promises` None:
    it does not take requests for storage commitment.
    """

    def __init__(
        self,
        address: NodeAddress,
        limits: AssociationLimits,
        intake: Intake,
        tls: ssl.SSLContext | None = None,
        promises: PromiseBook | None = None,
    ) -> None:
        self._address = address
        self._limits = limits
        self._intake = intake
        self._tls = tls
        self.slots = AssociationSlots(limits.max_associations, limits.max_associations_per_caller)
        self._promises = promises
        self._entity = build_application_entity(address.ae_title, limits, commits=promises is not None)
        self._plain: AcceptorServer | None = None
        self._encrypted: AcceptorServer | None = None

    @property
    def port(self) -> int:
        """The port for plain associations; 0: none."""
        return int(self._plain.server_address[1]) if self._plain else self._address.port or 0

    @property
    def tls_port(self) -> int:
        """The port for encrypted associations; 0: none."""
        return int(self._encrypted.server_address[1]) if self._encrypted else self._address.tls_port or 0

    @property
    def connections(self) -> list[Acceptor]:
        """Every connection that is open, on either port."""
        return [connection for server in self._entity.servers for connection in server.connections]

    def start(self) -> None:
        """Listen. Raises ConfigurationError when an address cannot be had, or TLS has no context."""
        self._alerts = RejectionAlerts(self._intake.sessions, self._address.ae_title)
        try:
            if self._address.port is not None:
                self._plain = self._listen(self._address.port, None)
            if self._address.tls_port is not None:
                if self._tls is None:
                    raise ConfigurationError("TLS_NOT_CONFIGURED", "a port for TLS needs a certificate, a key and a CA")
                self._encrypted = self._listen(self._address.tls_port, self._tls)
        except ConfigurationError:
            self._close_ports()
            raise
        if not self._entity.servers:
            raise ConfigurationError("NO_PORT", "expected a port for plain or encrypted associations, found neither")
        # pynetdicom logs exceptions with what a peer sent in them; what matters is logged by us.
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
        for server in self._entity.servers:
            threading.Thread(
                target=partial(server.serve_forever, poll_interval=0.1), name=f"port-{server.server_address[1]}"
            ).start()
        log_event(
            logger,
            "node_listening",
            ae_title=self._address.ae_title,
            host=self._address.host,
            port=self.port or None,
            tls_port=self.tls_port or None,
        )

    def stop(self, *, finish_s: float = FINISH_S, refuse_s: float = REFUSE_S) -> None:
        """Let what is arriving arrive, take nothing more, and end.

        New associations are rejected as a passing matter. On those that run, the message that was begun gets its answer
        within `finish_s`; the next C-STORE is answered 0xA700; `refuse_s` after its last message one is aborted.
        """
        if not self._entity.servers:
            return
        self._intake.shutting_down.set()
        aborted = self._drain(finish_s, refuse_s)
        for server in self._entity.servers:
            server.shutdown()
        remaining = self._entity.active_associations
        for association in remaining:
            association.abort(block=False)
        if remaining:
            self._idle_within(ABORT_S)
        for connection in self.connections:
            connection.close()
        deadline = time.monotonic() + ABORT_S
        for connection in self.connections:
            connection.join(max(0.0, deadline - time.monotonic()))
        self._alerts.stop()
        self._entity.servers.clear()
        self._plain = self._encrypted = None
        log_event(logger, "node_stopped", aborted_associations=aborted + len(remaining))

    def _drain(self, finish_s: float, refuse_s: float) -> int:
        """Wait for the associations to end, `finish_s` at most, and abort those that idle. Returns how many."""
        began = time.monotonic()
        aborted: set[Association] = set()
        while (running := self._entity.active_associations) and time.monotonic() < began + finish_s:
            for association in cast(list[Acceptor], running):
                since = max(began, association.message_ended_at)
                if association in aborted or association.in_message or time.monotonic() < since + refuse_s:
                    continue
                aborted.add(association)
                association.abort(block=False)
            time.sleep(0.02)
        return len(aborted)

    def _listen(self, port: int, tls: ssl.SSLContext | None) -> AcceptorServer:
        largest = self._intake.limits.max_instance_bytes
        terms = AcceptorTerms(
            self.slots,
            self._intake.open_arrival,
            largest_pdu(self._limits.max_pdu, largest),
            self._limits.max_waiting,
            tls,
            self._intake.shutting_down,
        )
        try:
            server = AcceptorServer(self._entity, (self._address.host, port), terms, self._handlers())
        except OSError as error:
            raise ConfigurationError(
                "ADDRESS_NOT_AVAILABLE", f"cannot listen on {self._address.host}:{port}: {error.strerror}"
            ) from error
        self._entity.servers.append(server)
        return server

    def _handlers(self) -> list[evt.EventHandlerType]:
        return [
            (evt.EVT_REQUESTED, handlers.on_association_requested, [self._intake.callers, self._alerts]),
            (evt.EVT_REJECTED, handlers.on_association_rejected),
            (evt.EVT_C_ECHO, handlers.on_c_echo),
            (evt.EVT_C_STORE, handlers.on_c_store, [self._intake]),
            (evt.EVT_N_EVENT_REPORT, on_n_event_report, [RegistryReports(self._intake.sessions)]),
            (evt.EVT_N_ACTION, on_n_action, [self._promises]),
        ]

    def _close_ports(self) -> None:
        for server in self._entity.servers:
            server.server_close()
        self._entity.servers.clear()
        self._plain = self._encrypted = None

    def _idle_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._entity.active_associations:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

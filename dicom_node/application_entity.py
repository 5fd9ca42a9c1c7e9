"""The node's application entity: an SCP that listens, and stops without breaking off what it is receiving."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import cast

from pydicom.uid import UID
from pynetdicom import evt
from pynetdicom.transport import ThreadedAssociationServer

from dicom_node import handlers
from dicom_node.association_guard import (
    GuardedEntity,
    largest_pdu,
    on_connection_opened,
    on_message_received,
    on_pdu_received,
)
from dicom_node.commitment_handlers import PromiseBook, on_n_action, on_n_event_report
from dicom_node.commitment_registry import RegistryReports
from dicom_node.conformance import supported_contexts
from dicom_node.intake import Intake
from dicom_node.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from service.errors import ConfigurationError
from service.logs import log_event

logger = logging.getLogger(__name__)

CONNECTION_TIMEOUT_S = 10.0
# Together below the 10 s after which container engines kill what they asked to stop.
FINISH_S = 10.0
REFUSE_S = 2.0


@dataclass(frozen=True)
class NodeAddress:
    """Where the node listens and under which AE title; port 0 takes a free one."""

    ae_title: str
    host: str
    port: int


@dataclass(frozen=True)
class AssociationLimits:
    """Number of associations, largest PDU received in bytes (0: no limit), and timeouts in s."""

    max_associations: int = 25
    max_pdu: int = 131072
    network_timeout_s: float = 60.0
    dimse_timeout_s: float = 30.0
    acse_timeout_s: float = 30.0


def build_application_entity(ae_title: str, limits: AssociationLimits, *, commits: bool = False) -> GuardedEntity:
    """An application entity with our identity and timeouts, accepting what `conformance` offers."""
    entity = GuardedEntity(ae_title=ae_title)
    for context in supported_contexts(commits=commits):  # assigned as a list they would lose their roles
        syntaxes: list[str | UID] = list(context.transfer_syntax)
        entity.add_supported_context(cast(UID, context.abstract_syntax), syntaxes, context.scu_role, context.scp_role)
    entity.require_called_aet = True
    entity.maximum_associations = limits.max_associations
    entity.maximum_pdu_size = limits.max_pdu
    entity.network_timeout = limits.network_timeout_s
    entity.dimse_timeout = limits.dimse_timeout_s
    entity.acse_timeout = limits.acse_timeout_s
    entity.connection_timeout = CONNECTION_TIMEOUT_S
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    return entity


class Node:
    """The listening node. `start` returns once it listens; `port` is then the real one.

    `promises` None: it does not take requests for storage commitment.
    """

    def __init__(
        self, address: NodeAddress, limits: AssociationLimits, intake: Intake, promises: PromiseBook | None = None
    ) -> None:
        self._address = address
        self._limits = limits
        self._intake = intake
        self._promises = promises
        self._entity = build_application_entity(address.ae_title, limits, commits=promises is not None)
        self._server: ThreadedAssociationServer | None = None

    @property
    def port(self) -> int:
        """The port listened on."""
        return int(self._server.server_address[1]) if self._server else self._address.port

    def start(self) -> None:
        """Listen. Raises ConfigurationError when the address cannot be had."""
        largest = self._intake.limits.max_instance_bytes
        longest = largest_pdu(self._limits.max_pdu, largest)
        try:
            self._server = self._entity.start_server(
                (self._address.host, self._address.port),
                block=False,
                evt_handlers=[
                    (evt.EVT_CONN_OPEN, on_connection_opened, [self._limits.network_timeout_s, longest]),
                    (evt.EVT_PDU_RECV, on_pdu_received, [largest]),
                    (evt.EVT_DIMSE_RECV, on_message_received),
                    (evt.EVT_REQUESTED, handlers.on_association_requested, [self._intake.callers]),
                    (evt.EVT_REJECTED, handlers.on_association_rejected),
                    (evt.EVT_C_ECHO, handlers.on_c_echo),
                    (evt.EVT_C_STORE, handlers.on_c_store, [self._intake]),
                    (evt.EVT_N_EVENT_REPORT, on_n_event_report, [RegistryReports(self._intake.sessions)]),
                    (evt.EVT_N_ACTION, on_n_action, [self._promises]),
                ],
            )
        except OSError as error:
            raise ConfigurationError(
                "ADDRESS_NOT_AVAILABLE",
                f"cannot listen on {self._address.host}:{self._address.port}: {error.strerror}",
            ) from error
        log_event(logger, "node_listening", ae_title=self._address.ae_title, host=self._address.host, port=self.port)

    def stop(self, *, finish_s: float = FINISH_S, refuse_s: float = REFUSE_S) -> None:
        """Refuse new associations, let running ones finish, then answer their instances 0xA700, then abort them."""
        if self._server is None:
            return
        self._server.shutdown()
        if not self._idle_within(finish_s):
            self._intake.shutting_down.set()
            self._idle_within(refuse_s)
        self._intake.shutting_down.set()
        aborted = len(self._entity.active_associations)
        self._entity.drop_silent_connections(keep=0)
        self._entity.shutdown()
        self._server = None
        log_event(logger, "node_stopped", aborted_associations=aborted)

    def _idle_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._entity.active_associations:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

"""Who may send to us: the registry's remote nodes by AE title and host, looked up anew each time.

`softray remote add` and `remove` therefore hold from the next association on, and `remove` from the next instance.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy.orm import Session, sessionmaker

from dicom_node.caller_hosts import CallerHosts
from service.database import transaction
from service.registry.commitment_plan import reporting_callers
from service.registry.remote_nodes import allowed_callers, list_remote_nodes


class CallerRefusal(StrEnum):
    """Why a calling application entity may not send."""

    CALLER_NOT_ALLOWED = "CALLER_NOT_ALLOWED"
    CALLER_HOST_MISMATCH = "CALLER_HOST_MISMATCH"


class Callers:
    """The allow-list; `accept_unknown` lets everybody in, `hosts` None does not look at addresses."""

    def __init__(
        self, sessions: sessionmaker[Session], *, accept_unknown: bool = False, hosts: CallerHosts | None = None
    ) -> None:
        self._sessions = sessions
        self._accept_unknown = accept_unknown
        self._hosts = hosts

    def refusal(self, ae_title: str, address: str) -> CallerRefusal | None:
        """Why this caller gets no association, to send or to report on what we sent to it; None: it gets one.

        Raises RegistryUnavailableError when nobody can tell.
        """
        if self._accept_unknown:
            return None
        with transaction(self._sessions, read_only=True) as session:
            nodes = list_remote_nodes(session)
            reporting = ae_title.strip() in reporting_callers(session)
        hosts = [node.host for node in nodes if node.ae_title == ae_title.strip() and (node.may_send or reporting)]
        if not hosts:
            return CallerRefusal.CALLER_NOT_ALLOWED
        if self._hosts is None or any(self._hosts.matches(host, address) for host in hosts):
            return None
        return CallerRefusal.CALLER_HOST_MISMATCH

    def permits(self, ae_title: str) -> bool:
        """Whether `ae_title` may send, from wherever. Raises RegistryUnavailableError when nobody can tell."""
        with transaction(self._sessions, read_only=True) as session:
            return self.permits_in(session, ae_title)

    def permits_in(self, session: Session, ae_title: str) -> bool:
        """The same in a transaction that is open."""
        return self._accept_unknown or ae_title.strip() in allowed_callers(session)

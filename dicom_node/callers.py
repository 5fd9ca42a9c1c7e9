"""Which AE titles may send to us: the registry's remote nodes, looked up anew each time.

`softray remote add` and `remove` therefore hold from the next association on, and `remove` from the next instance.
"""

from __future__ import annotations

from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry.commitment_plan import reporting_callers
from service.registry.remote_nodes import allowed_callers


class Callers:
    """The allow-list of calling AE titles; `accept_unknown` lets everybody in."""

    def __init__(self, sessions: sessionmaker[Session], *, accept_unknown: bool = False) -> None:
        self._sessions = sessions
        self._accept_unknown = accept_unknown

    def permits(self, ae_title: str) -> bool:
        """Whether `ae_title` may send. Raises RegistryUnavailableError when that cannot be found out."""
        if self._accept_unknown:
            return True
        with transaction(self._sessions, read_only=True) as session:
            return ae_title.strip() in allowed_callers(session)

    def permits_association(self, ae_title: str) -> bool:
        """Whether `ae_title` may associate: to send, or to report on what we sent to it."""
        if self.permits(ae_title):
            return True
        with transaction(self._sessions, read_only=True) as session:
            return ae_title.strip() in reporting_callers(session)

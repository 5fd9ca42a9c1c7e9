"""Which AE titles may send to us: the registry's remote nodes, looked up anew each time.

`softray remote add` and `remove` therefore hold from the next association on, and `remove` from the next instance.
"""

from __future__ import annotations

from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
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
            return self.permits_now(session, ae_title)

    def permits_now(self, session: Session, ae_title: str) -> bool:
        """The same in a transaction that is open."""
        return self._accept_unknown or ae_title.strip() in allowed_callers(session)

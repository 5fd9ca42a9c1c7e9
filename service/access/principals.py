"""Who asks: the outcome of a check of credentials."""

from __future__ import annotations

from dataclasses import dataclass

from service.access.roles import Right, Role, rights_of
from service.audit.events import Actor, ActorKind


@dataclass(frozen=True)
class Principal:
    """Somebody who was let in, for one request.

    `csrf_token` is set for a browser's session: whatever changes something must bring it along. `session_id` is that
    session's row.
    """

    kind: ActorKind
    name: str
    role: Role
    images: bool
    csrf_token: str | None = None
    session_id: int | None = None

    @property
    def rights(self) -> frozenset[Right]:
        """What they may do."""
        return rights_of(self.role, images=self.images)

    def actor(self, host: str) -> Actor:
        """As the audit trail names them."""
        return Actor(self.kind, self.name, host)


LOCAL = Principal(ActorKind.LOCAL, "local", Role.ADMIN, images=True)
"""Whoever sits at this machine, where no login is asked for (SOFTRAY_API_LOGIN=auto)."""

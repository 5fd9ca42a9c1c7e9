"""Roles and the rights that they hold: the table that every decision comes down to."""

from __future__ import annotations

from enum import StrEnum


class Right(StrEnum):
    """What somebody may do."""

    METRICS = "METRICS"
    """Read `/metrics`."""
    STATES = "STATES"
    """See what arrived, what became of it and why: UIDs, states, times, reason codes; nothing of the patient."""
    IMAGES = "IMAGES"
    """Look at pictures and DICOM objects, which are patients' data; every look is audited."""
    OPERATE = "OPERATE"
    """Retry, cancel and whatever else changes the work under way."""
    ADMINISTER = "ADMINISTER"
    """Change who may do what, nodes, settings; read the audit trail."""


class Role(StrEnum):
    """Each holds the rights of the one before. `metrics` is for monitoring's token, not for people."""

    METRICS = "metrics"
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


ROLES_OF_PEOPLE = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
_RIGHTS: dict[Role, frozenset[Right]] = {
    Role.METRICS: frozenset({Right.METRICS}),
    Role.VIEWER: frozenset({Right.METRICS, Right.STATES}),
    Role.OPERATOR: frozenset({Right.METRICS, Right.STATES, Right.OPERATE}),
    Role.ADMIN: frozenset({Right.METRICS, Right.STATES, Right.OPERATE, Right.ADMINISTER}),
}


def rights_of(role: Role, *, images: bool) -> frozenset[Right]:
    """The rights of `role`; looking at images is granted apart from it, to whoever needs it for their work."""
    return _RIGHTS[role] | ({Right.IMAGES} if images and role is not Role.METRICS else frozenset())

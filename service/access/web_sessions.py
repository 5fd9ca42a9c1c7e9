"""Sessions of browsers: rows on the server, known by the hash of the cookie's secret; ended by time or on demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from service.access.principals import Principal
from service.access.roles import Role
from service.access.secrets import csrf_token_of, new_secret, sha256_of
from service.audit.events import ActorKind
from service.registry.access_tables import User, WebSession

SEEN_EVERY = timedelta(seconds=60)
"""How coarsely it is kept when a session was last used: not every request is a write."""

FIRST_START_NAME = "first-start"
KEPT_AFTER_END = timedelta(days=30)


@dataclass(frozen=True)
class SessionTerms:
    """How long a session lasts: since its last request, and in all, in s."""

    idle_s: float = 1800.0
    absolute_s: float = 12 * 3600.0


def open_session(session: Session, user: User | None, terms: SessionTerms, *, now: datetime) -> str:
    """A new session; returns its secret for the cookie. `user` None: whoever logged in with the first start's token."""
    secret = new_secret()
    session.execute(delete(WebSession).where(WebSession.expires_at < now - KEPT_AFTER_END))
    session.add(
        WebSession(
            secret_sha256=sha256_of(secret),
            user_id=user.id if user else None,
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(seconds=terms.absolute_s if user else min(3600.0, terms.absolute_s)),
        )
    )
    if user is not None:
        user.last_login_at = now
    session.flush()
    return secret


@dataclass(frozen=True)
class OpenSession:
    """A session that is still good; `stale`: its last use should be written down."""

    principal: Principal
    session_id: int
    stale: bool


def find_session(session: Session, secret: str, terms: SessionTerms, *, now: datetime) -> OpenSession | None:
    """Whose session the cookie names; None: nobody's, or it is over. Role and rights are the account's of now."""
    found = session.execute(
        select(WebSession, User)
        .outerjoin(User, WebSession.user_id == User.id)
        .where(WebSession.secret_sha256 == sha256_of(secret), WebSession.ended_at.is_(None))
    ).one_or_none()
    if found is None:
        return None
    row, user = found
    if now >= row.expires_at or now - row.last_seen_at >= timedelta(seconds=terms.idle_s):
        return None
    if row.user_id is not None and (user is None or user.disabled_at is not None):
        return None
    principal = Principal(
        kind=ActorKind.USER if user is not None else ActorKind.FIRST_START,
        name=user.name if user is not None else FIRST_START_NAME,
        role=Role(user.role) if user is not None else Role.ADMIN,
        images=user.images if user is not None else False,
        csrf_token=csrf_token_of(secret),
        session_id=row.id,
    )
    unseen = now - row.last_seen_at
    return OpenSession(principal, row.id, stale=unseen >= min(SEEN_EVERY, timedelta(seconds=terms.idle_s / 4)))


def touch_session(session: Session, session_id: int, *, now: datetime) -> None:
    """Note that it was used."""
    _update(session, WebSession.id == session_id, last_seen_at=now)


def end_session(session: Session, session_id: int, *, now: datetime) -> None:
    """Log one browser out."""
    _update(session, WebSession.id == session_id, ended_at=now)


def end_sessions_of(session: Session, user_id: int | None, *, now: datetime) -> None:
    """Log an account out everywhere; None: the sessions of the first start."""
    _update(
        session, WebSession.user_id == user_id if user_id is not None else WebSession.user_id.is_(None), ended_at=now
    )


def _update(session: Session, which: ColumnElement[bool], **values: datetime) -> None:
    changed = update(WebSession).where(which, WebSession.ended_at.is_(None)).values(**values)
    session.execute(changed.execution_options(synchronize_session=False))

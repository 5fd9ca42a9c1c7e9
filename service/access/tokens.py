"""API tokens: made for one program each, shown once, kept hashed, ended by time or on demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, CursorResult, or_, select, update
from sqlalchemy.orm import Session

from service.access.principals import Principal
from service.access.roles import Role
from service.access.secrets import new_token, sha256_of
from service.audit.events import ActorKind
from service.errors import ConfigurationError
from service.registry.access_tables import ApiToken

USED_EVERY = timedelta(hours=1)
"""How coarsely it is kept when a token was last used."""

FIRST_START = "first-start"
FIRST_START_LASTS = timedelta(hours=1)
_LONGEST_NAME = 128


@dataclass(frozen=True)
class TokenRow:
    """A token without its secret."""

    token_id: int
    name: str
    role: Role
    images: bool
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def create_token(
    session: Session,
    *,
    name: str,
    role: Role,
    images: bool,
    created_by: str,
    expires_at: datetime | None,
    now: datetime,
    single_use: bool = False,
) -> str:
    """A new token; the returned secret is nowhere else. Raises ConfigurationError when a live one has the name."""
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        raise ConfigurationError("TOKEN_INVALID", f"expected a name of 1 to {_LONGEST_NAME} printable characters")
    if expires_at is not None and expires_at <= now:
        raise ConfigurationError("TOKEN_INVALID", "expected an end in the future")
    if role is Role.METRICS and images:
        raise ConfigurationError("TOKEN_INVALID", "a token for metrics cannot be one for images as well")
    if any(token.is_live(now) and token.name == name for token in list_tokens(session)):
        raise ConfigurationError("TOKEN_EXISTS", f"a token named {name!r} is in use; revoke it or take another name")
    secret = new_token()
    session.add(
        ApiToken(
            name=name,
            secret_sha256=sha256_of(secret),
            role=role,
            images=images,
            single_use=single_use,
            created_at=now,
            created_by=created_by[:_LONGEST_NAME],
            expires_at=expires_at,
        )
    )
    session.flush()
    return secret


def create_first_start_token(session: Session, *, now: datetime) -> str:
    """The token of an installation in which nobody can log in yet; one that was made before is void."""
    revoke_tokens(session, FIRST_START, now=now)
    return create_token(
        session,
        name=FIRST_START,
        role=Role.ADMIN,
        images=False,
        created_by="softray",
        expires_at=now + FIRST_START_LASTS,
        now=now,
        single_use=True,
    )


def list_tokens(session: Session) -> list[TokenRow]:
    """Every token ever made, by name."""
    rows = session.scalars(select(ApiToken).order_by(ApiToken.name, ApiToken.id))
    return [
        TokenRow(
            row.id, row.name, Role(row.role), row.images, row.created_at, row.created_by, row.expires_at,
            row.last_used_at, row.revoked_at,
        )
        for row in rows
    ]  # fmt: skip


def revoke_tokens(session: Session, name: str, *, now: datetime) -> int:
    """End the tokens of this name at once; returns how many there were."""
    ended = session.execute(
        update(ApiToken)
        .where(ApiToken.name == name, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(ended, CursorResult)
    return int(ended.rowcount)


@dataclass(frozen=True)
class LiveToken:
    """A token that is good; `stale`: its last use should be written down."""

    principal: Principal
    token_id: int
    stale: bool


def find_token(session: Session, secret: str, *, now: datetime) -> LiveToken | None:
    """Whose token this is; None: nobody's, or it has ended. The first start's token is good for a login only."""
    row = session.scalar(select(ApiToken).where(_live(now), ApiToken.secret_sha256 == sha256_of(secret)))
    if row is None or row.single_use:
        return None
    principal = Principal(ActorKind.TOKEN, row.name, Role(row.role), row.images)
    stale = row.last_used_at is None or now - row.last_used_at >= USED_EVERY
    return LiveToken(principal, row.id, stale)


def touch_token(session: Session, token_id: int, *, now: datetime) -> None:
    """Note the hour in which it was used."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    used = update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=hour)
    session.execute(used.execution_options(synchronize_session=False))


def redeem_first_start_token(session: Session, secret: str, *, now: datetime) -> bool:
    """Use the token up. False: it is none, has ended, or was used; of two at the same moment one gets True."""
    used = session.execute(
        update(ApiToken)
        .where(_live(now), ApiToken.single_use, ApiToken.secret_sha256 == sha256_of(secret))
        .values(revoked_at=now, last_used_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(used, CursorResult)
    return used.rowcount == 1


def _live(now: datetime) -> ColumnElement[bool]:
    return ApiToken.revoked_at.is_(None) & or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now)

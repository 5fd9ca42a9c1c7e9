"""Letting somebody in: one object that checks credentials, counts failures, opens sessions, and audits all of it.

A login is counted as failed before it is checked and forgiven when it was right: a hundred guesses at the same moment
are a hundred guesses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.orm import Session, sessionmaker

from service.access import login_limits, tokens, users, web_sessions
from service.access.errors import LoginRefusedError, locked
from service.access.login_limits import LoginLimits, of_account, of_address, of_tokens_from
from service.access.oidc import Identity
from service.access.passwords import password_fits
from service.access.principals import Principal
from service.access.web_sessions import SessionTerms
from service.audit.chain import append
from service.audit.events import Actor, ActorKind, AuditEvent, AuditKind, Outcome
from service.database import transaction
from service.registry.access_tables import User


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Entry:
    """The door of one process; every decision is the registry's, so that all processes decide alike."""

    sessions: sessionmaker[Session]
    terms: SessionTerms = field(default_factory=SessionTerms)
    limits: LoginLimits = field(default_factory=LoginLimits)
    clock: Callable[[], datetime] = field(default=_now)

    def by_password(self, name: str, password: str, host: str) -> str:
        """The secret of a new session. Raises LoginRefusedError."""
        subjects = (of_account(name), of_account(name, host), of_address(host))
        with transaction(self.sessions) as session:
            newly_locked = self._count(session, subjects)
            account = users.find_account(session, name)
        fits = password_fits(account.password_hash, password)
        now = self.clock()
        with transaction(self.sessions) as session:
            user = users.let_in(session, account) if fits else None
            if user is not None:
                return self._let_in(session, user, subjects, host, "password")
            # A name that is none may be a password, typed into the wrong field: it is not kept.
            who = Actor(ActorKind.USER, name.strip().lower(), host) if account.user_id else _nobody(host)
            append(session, *_failure(who, "WRONG_PASSWORD", newly_locked), now=now)
        raise LoginRefusedError("LOGIN_FAILED", "the name or the password is wrong, or the account is disabled")

    def by_first_start_token(self, secret: str, host: str) -> str:
        """The secret of a session that may add the first people. Raises LoginRefusedError."""
        subjects = (of_address(host),)
        with transaction(self.sessions) as session:
            newly_locked = self._count(session, subjects)
            if tokens.redeem_first_start_token(session, secret.strip(), now=self.clock()):
                return self._let_in(session, None, subjects, host, "first-start token")
            append(session, *_failure(_nobody(host), "TOKEN_NOT_GOOD", newly_locked), now=self.clock())
        raise LoginRefusedError("LOGIN_FAILED", "the token was used already, is too old, or was never given out")

    def by_identity(self, identity: Identity, host: str) -> str:
        """The secret of a session of somebody the identity provider vouches for. Raises LoginRefusedError."""
        now = self.clock()
        with transaction(self.sessions) as session:
            user = None
            if identity.role is not None:
                user = users.vouched_user(
                    session,
                    issuer=identity.issuer,
                    subject=identity.subject,
                    name=identity.name,
                    role=identity.role,
                    images=identity.images,
                    now=now,
                )
            if user is not None:
                return self._let_in(session, user, (), host, "oidc")
            code = "NO_ROLE" if identity.role is None else "ACCOUNT_DISABLED"
            who = Actor(ActorKind.USER, identity.name, host)
            append(session, *_failure(who, code, ()), now=now)
        raise LoginRefusedError(code, "the identity provider knows you, but you have no access to softray")

    def bearer(self, secret: str, host: str) -> Principal:
        """Whose token this is. Raises LoginRefusedError."""
        now = self.clock()
        with transaction(self.sessions, read_only=True) as session:
            found = tokens.find_token(session, secret, now=now)
        if found is not None:
            if found.stale:
                with transaction(self.sessions) as session:
                    tokens.touch_token(session, found.token_id, now=now)
            return found.principal
        with transaction(self.sessions) as session:
            newly_locked = self._count(session, (of_tokens_from(host),))
            append(session, *_failure(_nobody(host), "TOKEN_NOT_GOOD", newly_locked), now=now)
        raise LoginRefusedError("TOKEN_NOT_GOOD", "the token has ended, was revoked, or was never given out")

    def cookie(self, secret: str, *, active: bool = True) -> Principal | None:
        """Whose session this is; None: it is over. `active` False: the page asks by itself, nobody is there."""
        now = self.clock()
        with transaction(self.sessions, read_only=True) as session:
            found = web_sessions.find_session(session, secret, self.terms, now=now)
        if active and found is not None and found.stale:
            with transaction(self.sessions) as session:
                web_sessions.touch_session(session, found.session_id, now=now)
        return found.principal if found is not None else None

    def log_out(self, principal: Principal, host: str, *, everywhere: bool = False) -> None:
        """End the session of `principal`, or all of the account's."""
        now = self.clock()
        if principal.session_id is None:
            return
        with transaction(self.sessions) as session:
            if not everywhere:
                web_sessions.end_session(session, principal.session_id, now=now)
            elif principal.kind is ActorKind.FIRST_START:
                web_sessions.end_sessions_of(session, None, now=now)
            else:
                web_sessions.end_sessions_of(session, users.user_id_of(session, principal.name), now=now)
            detail = "everywhere" if everywhere else ""
            append(session, AuditEvent(AuditKind.LOGOUT, principal.actor(host), detail=detail), now=now)

    def _count(self, session: Session, subjects: tuple[str, ...]) -> tuple[str, ...]:
        """Count the attempt as failed; returns what that locked. Raises LoginRefusedError while a lock holds."""
        attempt = login_limits.count_attempt(session, subjects, self.limits, now=self.clock())
        if attempt.wait_s:
            raise locked(attempt.wait_s)
        return attempt.newly_locked

    def _let_in(self, session: Session, user: User | None, subjects: tuple[str, ...], host: str, how: str) -> str:
        now = self.clock()
        login_limits.forget_failures(session, *subjects)
        secret = web_sessions.open_session(session, user, self.terms, now=now)
        who = (
            Actor(ActorKind.USER, user.name, host)
            if user is not None
            else Actor(ActorKind.FIRST_START, web_sessions.FIRST_START_NAME, host)
        )
        append(session, AuditEvent(AuditKind.LOGIN, who, detail=how), now=now)
        return secret


def _nobody(host: str) -> Actor:
    return Actor(ActorKind.ANONYMOUS, "", host)


def _failure(who: Actor, code: str, newly_locked: tuple[str, ...]) -> list[AuditEvent]:
    events = [AuditEvent(AuditKind.LOGIN, who, Outcome.FAILURE, reason_code=code)]
    for subject in newly_locked:
        kind, _, which = subject.partition(":")
        name = (who.name or "unknown account") if kind == "account" else which
        code = f"{kind.upper()}_LOCKED"
        events.append(AuditEvent(AuditKind.LOCKED_OUT, who, Outcome.FAILURE, subject=name, reason_code=code))
    return events

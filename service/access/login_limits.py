"""Failed logins are counted by account and by address, in the registry, so that every API process knows of all.

Five failures lock an account for a quarter of an hour at the address that they came from, fifty for everybody: whoever
only knows a name does not keep its owner out, and many addresses together do not guess on. Twenty lock an address, of
IPv6 the /64 that one household has to itself. While a lock holds nothing is tried, not even the right password, and no
further failure is recorded: whoever guesses learns nothing and fills no table. An account is named by a hash: what
people type there by mistake may be a password.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.access.networks import network_of
from service.access.secrets import sha256_of
from service.registry.access_tables import LoginFailures

FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class LoginLimits:
    """Failures within `window_s` after which nothing is tried for `lock_s`."""

    of_account_at_address: int = 5
    of_account: int = 50
    of_address: int = 20
    window_s: float = 900.0
    lock_s: float = 900.0


def of_account(name: str, host: str | None = None) -> str:
    """The subject under which an account's failures are counted: those from one address, or None: from everywhere."""
    everywhere = f"account:{sha256_of(name.strip().lower())}"
    return everywhere if host is None else f"{everywhere}@{network_of(host)}"


def of_address(host: str) -> str:
    """The subject under which an address's failed logins are counted."""
    return f"address:{network_of(host)}"


def of_tokens_from(host: str) -> str:
    """The subject for tokens that are not good, apart from logins: nobody guesses 256 bits, but a script that was
    forgotten shows an ended token for ever, and people at that address must still get in.
    """
    return f"tokens:{network_of(host)}"


@dataclass(frozen=True)
class Attempt:
    """What is known before a login is tried: not at all for `wait_s`; else which subjects this attempt locked."""

    wait_s: int
    newly_locked: tuple[str, ...] = ()


def count_attempt(session: Session, subjects: Sequence[str], limits: LoginLimits, *, now: datetime) -> Attempt:
    """Count a login of these subjects as failed, unless a lock holds; `forget_failures` if it was right.

    The rows are held until the commit: of many attempts at one moment each sees those before it.
    """
    _forget_old(session, now)
    rows = [_held_row(session, subject, now) for subject in sorted(subjects)]
    waits = [(row.locked_until - now).total_seconds() for row in rows if row.locked_until and row.locked_until > now]
    if waits:
        return Attempt(int(max(waits)) + 1)
    locked = tuple(row.subject for row in rows if _count(row, limits, now))
    session.flush()
    return Attempt(0, locked)


def forget_failures(session: Session, *subjects: str) -> None:
    """A login that worked clears the counts it would have added to."""
    _clear(session, LoginFailures.subject.in_(subjects))


def unlock_account(session: Session, name: str) -> None:
    """An administrator clears every count of an account, from wherever its failures came."""
    everywhere = of_account(name)
    _clear(session, or_(LoginFailures.subject == everywhere, LoginFailures.subject.startswith(f"{everywhere}@")))


def _clear(session: Session, which: ColumnElement[bool]) -> None:
    cleared = update(LoginFailures).where(which).values(failures=0, locked_until=None)
    session.execute(cleared.execution_options(synchronize_session=False))


def _count(row: LoginFailures, limits: LoginLimits, now: datetime) -> bool:
    """One failure more; True: that locked it."""
    allowed = _allowed(row.subject, limits)
    # A lock that is over begins a new window, and so does a long pause.
    if row.locked_until is not None or now - row.first_at > timedelta(seconds=limits.window_s):
        row.failures, row.first_at, row.locked_until = 0, now, None
    row.failures += 1
    if row.failures >= allowed:
        row.locked_until = now + timedelta(seconds=limits.lock_s)
    return row.locked_until is not None


def _allowed(subject: str, limits: LoginLimits) -> int:
    if not subject.startswith("account:"):
        return limits.of_address
    return limits.of_account_at_address if "@" in subject else limits.of_account


def _held_row(session: Session, subject: str, now: datetime) -> LoginFailures:
    while True:
        row = session.scalar(select(LoginFailures).where(LoginFailures.subject == subject).with_for_update())
        if row is not None:
            return row
        # IntegrityError: another process was faster.
        with contextlib.suppress(IntegrityError), session.begin_nested():
            session.execute(insert(LoginFailures).values(subject=subject, failures=0, first_at=now))


def _forget_old(session: Session, now: datetime) -> None:
    old = select(LoginFailures.subject).where(LoginFailures.first_at < now - FORGOTTEN_AFTER)
    gone = delete(LoginFailures).where(LoginFailures.subject.in_(old.with_for_update(skip_locked=True)))
    session.execute(gone.execution_options(synchronize_session=False))

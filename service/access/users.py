"""People: local accounts with a password, and those that the site's identity provider vouches for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.access.passwords import hash_password
from service.access.roles import ROLES_OF_PEOPLE, Role
from service.access.web_sessions import end_sessions_of
from service.errors import ConfigurationError
from service.registry.access_tables import User

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,127}")


@dataclass(frozen=True)
class UserRow:
    """An account. `login`: "password" or "oidc"."""

    name: str
    role: Role
    images: bool
    login: str
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None


def add_user(session: Session, *, name: str, role: Role, images: bool, password: str, now: datetime) -> None:
    """A local account. Raises ConfigurationError when the name is taken or a value cannot be right."""
    name = account_name(name)
    _require_role_of_people(role)
    if _find(session, name) is not None:
        raise ConfigurationError("USER_EXISTS", f"an account named {name!r} exists already")
    session.add(User(name=name, role=role, images=images, password_hash=hash_password(password), created_at=now))
    session.flush()


def list_users(session: Session) -> list[UserRow]:
    """All accounts by name, disabled ones too."""
    return [_row(user) for user in session.scalars(select(User).order_by(User.name))]


def set_role(session: Session, name: str, *, role: Role, images: bool | None, now: datetime) -> None:
    """Change what an account may do, at once for open sessions too; `images` None leaves that as it is."""
    _require_role_of_people(role)
    user = _existing(session, name)
    _require_another_admin(session, user, keeps_admin=role is Role.ADMIN)
    user.role = role
    user.images = user.images if images is None else images
    session.flush()


def set_password(session: Session, name: str, password: str, *, now: datetime) -> None:
    """A new password; whoever is logged in with the old one is logged out."""
    user = _existing(session, name)
    if user.oidc_subject is not None:
        raise ConfigurationError("USER_HAS_NO_PASSWORD", f"{user.name!r} logs in at the identity provider")
    user.password_hash = hash_password(password)
    end_sessions_of(session, user.id, now=now)


def disable_user(session: Session, name: str, *, now: datetime) -> None:
    """Nobody gets in under this name any more, and whoever is in is out. The row stays for the history."""
    user = _existing(session, name)
    _require_another_admin(session, user, keeps_admin=False)
    user.disabled_at = user.disabled_at or now
    end_sessions_of(session, user.id, now=now)


def enable_user(session: Session, name: str) -> None:
    """Undo `disable_user`."""
    _existing(session, name).disabled_at = None
    session.flush()


def user_id_of(session: Session, name: str) -> int:
    """The row of an account. Raises ConfigurationError when there is none."""
    return _existing(session, name).id


@dataclass(frozen=True)
class Account:
    """What a login with a password is checked against; `user_id` None: there is nobody to be let in."""

    user_id: int | None
    password_hash: str | None


def find_account(session: Session, name: str) -> Account:
    """The account that somebody says is theirs."""
    said = name.strip().lower()
    user = _find(session, said) if _NAME.fullmatch(said) else None
    if user is None or user.disabled_at is not None or user.password_hash is None:
        return Account(None, None)
    return Account(user.id, user.password_hash)


def let_in(session: Session, account: Account) -> User | None:
    """The user of an account whose password fitted; None: it was disabled or changed meanwhile."""
    user = session.get(User, account.user_id, with_for_update=True) if account.user_id is not None else None
    if user is None or user.disabled_at is not None or user.password_hash != account.password_hash:
        return None
    return user


def vouched_user(
    session: Session, *, issuer: str, subject: str, name: str, role: Role, images: bool, now: datetime
) -> User | None:
    """The account of somebody the identity provider vouches for, made or brought up to date; None: disabled here.

    Role and right are what the provider says today.
    """
    _require_role_of_people(role)
    user = session.scalar(select(User).where(User.oidc_issuer == issuer, User.oidc_subject == subject))
    if user is None:
        user = User(name=_free_name(session, name), oidc_issuer=issuer, oidc_subject=subject, created_at=now)
        session.add(user)
    if user.disabled_at is not None:
        return None
    user.role, user.images = role, images
    session.flush()
    return user


def any_admin(session: Session) -> bool:
    """Whether somebody can log in who may add others."""
    found = select(User.id).where(User.role == Role.ADMIN, User.disabled_at.is_(None)).limit(1)
    return session.scalar(found) is not None


def account_name(name: str) -> str:
    """`name` as it is kept. Raises ConfigurationError."""
    kept = name.strip().lower()
    if not _NAME.fullmatch(kept):
        raise ConfigurationError("USER_NAME_INVALID", "expected a name of letters, digits and . _ @ -, at most 128")
    return kept


def _require_role_of_people(role: Role) -> None:
    if role not in ROLES_OF_PEOPLE:
        raise ConfigurationError("ROLE_INVALID", f"expected viewer, operator or admin, found {role}")


def _require_another_admin(session: Session, user: User, *, keeps_admin: bool) -> None:
    if keeps_admin or user.role != Role.ADMIN or user.disabled_at is not None:
        return
    others = select(User.id).where(User.role == Role.ADMIN, User.disabled_at.is_(None), User.id != user.id).limit(1)
    if session.scalar(others) is None:
        raise ConfigurationError("LAST_ADMIN", f"{user.name!r} is the last account that may add others")


def _free_name(session: Session, wanted: str) -> str:
    """The provider's name for somebody, with a number where a local account has it: it names, it proves nothing."""
    cleaned = re.sub(r"[^a-z0-9._@-]", "-", wanted.strip().lower()).strip("._@-")[:120] or "user"
    name, number = cleaned, 1
    while _find(session, name) is not None:
        number += 1
        name = f"{cleaned}-{number}"
    return name


def _find(session: Session, name: str) -> User | None:
    return session.scalar(select(User).where(User.name == name))


def _existing(session: Session, name: str) -> User:
    user = _find(session, account_name(name))
    if user is None:
        raise ConfigurationError("USER_UNKNOWN", f"no account is named {name!r}")
    return user


def _row(user: User) -> UserRow:
    return UserRow(
        name=user.name,
        role=Role(user.role),
        images=user.images,
        login="oidc" if user.oidc_subject else "password",
        created_at=user.created_at,
        last_login_at=user.last_login_at,
        disabled_at=user.disabled_at,
    )

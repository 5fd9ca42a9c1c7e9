"""Who may use the admin API: people, API tokens, open sessions, and logins that failed. Secrets are kept hashed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.registry.column_types import CODE, ROW_ID, SHA256
from service.registry.tables import Table

ACCOUNT = String(128)


class User(Table):
    """A person. With `oidc_subject` the site's identity provider logs them in, else the password does.

    `images`: may look at pictures and DICOM objects, which are patients' data.
    """

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("oidc_issuer", "oidc_subject"),)

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    name: Mapped[str] = mapped_column(ACCOUNT, unique=True)
    role: Mapped[str] = mapped_column(CODE)
    images: Mapped[bool]
    password_hash: Mapped[str | None] = mapped_column(String(255))
    oidc_issuer: Mapped[str | None] = mapped_column(String(255))
    oidc_subject: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class ApiToken(Table):
    """A credential of a program, or the one of the first start, which is worth one login (`single_use`)."""

    __tablename__ = "api_tokens"
    __table_args__ = (Index(None, "name"),)

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    name: Mapped[str] = mapped_column(ACCOUNT)
    secret_sha256: Mapped[str] = mapped_column(SHA256, unique=True)
    role: Mapped[str] = mapped_column(CODE)
    images: Mapped[bool]
    single_use: Mapped[bool]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(ACCOUNT)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class WebSession(Table):
    """A browser that is logged in; `user_id` None: with the token of the first start."""

    __tablename__ = "web_sessions"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(SHA256, unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class LoginFailures(Table):
    """Failed logins of one account or one address, counted from `first_at`; nothing is tried before `locked_until`."""

    __tablename__ = "login_failures"

    subject: Mapped[str] = mapped_column(String(200), primary_key=True)
    failures: Mapped[int]
    first_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]

"""Random secrets and their hashes. A secret of 256 random bits needs no slow hash: nobody can try them all."""

from __future__ import annotations

import hashlib
import secrets

TOKEN_PREFIX = "softray_"
"""So that a scanner for leaked credentials knows one when it sees it."""

SECRET_BYTES = 32


def new_token() -> str:
    """A token to be shown once."""
    return TOKEN_PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def new_secret() -> str:
    """The secret of a session, for a cookie."""
    return secrets.token_urlsafe(SECRET_BYTES)


def sha256_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def csrf_token_of(session_secret: str) -> str:
    """The session's second secret: a page can show it, and the cookie's cannot be had from it."""
    return hashlib.sha256(b"csrf:" + session_secret.encode("utf-8", "replace")).hexdigest()

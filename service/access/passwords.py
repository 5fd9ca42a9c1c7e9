"""Passwords of local accounts: Argon2id, with the parameters that argon2-cffi recommends (RFC 9106)."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.errors import ConfigurationError

SHORTEST = 12
LONGEST = 256
"""In characters: hashing what somebody sends must not take for ever."""

_hasher = PasswordHasher()
# Each check takes 64 MiB: however many try at once, the memory is bounded.
_room = threading.BoundedSemaphore(4)


def hash_password(password: str) -> str:
    """What is kept of a password. Raises ConfigurationError for one that is too short, too long or one letter."""
    if not SHORTEST <= len(password) <= LONGEST or len(set(password)) < 4:
        raise ConfigurationError(
            "PASSWORD_TOO_WEAK", f"expected a password of {SHORTEST} to {LONGEST} characters, not all alike"
        )
    return _hasher.hash(password)


def password_fits(password_hash: str | None, password: str) -> bool:
    """Whether `password` is the one. None (no such account) takes as long as a wrong password."""
    if len(password) > LONGEST:
        return False
    try:
        with _room:
            _hasher.verify(password_hash or _hash_of_nobody(), password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
    return password_hash is not None


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash("nobody has this password")

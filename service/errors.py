"""Exceptions of the service, named for what whoever catches them must do.

SoftrayError
├── TransientError               the same call may succeed later: keep the work, try again
│   ├── StoreFullError           the instance store has no room; recovers when space is freed
│   └── RegistryUnavailableError the database did not answer
└── PermanentError               the same call fails the same way again: record the reason, do not retry
    └── ConfigurationError       an operator must change a setting or a record first

Every error carries `code`, a reason code in UPPER_SNAKE that goes into records, metrics and the API unchanged. The
message says what was expected, what was found and for which UID, and never holds a patient's data.
"""

from __future__ import annotations


class SoftrayError(Exception):
    """Any failure that softray foresees."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __reduce__(self) -> tuple[type[SoftrayError], tuple[str, str]]:
        return type(self), (self.code, self.message)


class TransientError(SoftrayError):
    """Try again later; nothing is wrong with the work itself."""


class StoreFullError(TransientError):
    """The instance store has no room for what was to be kept; nothing of it is left behind."""


class RegistryUnavailableError(TransientError):
    """The database did not answer; whatever the transaction held is not committed, as far as this process knows."""


class PermanentError(SoftrayError):
    """The same input fails the same way again."""


class ConfigurationError(PermanentError):
    """An operator must change a setting, a file or a record before this can work."""

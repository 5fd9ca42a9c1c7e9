"""Why somebody was not let in. What is said to them does not tell whether the account exists."""

from __future__ import annotations

from service.errors import PermanentError


class LoginRefusedError(PermanentError):
    """Not let in; `wait_s` above 0: nothing is tried before that many seconds are over."""

    def __init__(self, code: str, message: str, wait_s: int = 0) -> None:
        super().__init__(code, message)
        self.wait_s = wait_s

    def __reduce__(self) -> tuple[type[LoginRefusedError], tuple[str, str, int]]:  # type: ignore[override]
        return type(self), (self.code, self.message, self.wait_s)


def locked(wait_s: int) -> LoginRefusedError:
    """Too many failures of this account or from this address."""
    minutes = max(1, round(wait_s / 60))
    return LoginRefusedError("LOGIN_LOCKED", f"too many failed logins; try again in {minutes} min", wait_s)

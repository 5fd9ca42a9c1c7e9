"""What `softray doctor` has to say: one line for each thing that is not as it should be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How a finding counts."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing to do."""
    PROBLEM = "problem"
    UNCHECKED = "unchecked"
    """Could not be looked at: nothing is known about it."""


@dataclass(frozen=True)
class Finding:
    """`subject` is what was looked at, `found` what it is like, `means` and `do` are for who reads it at night.

    `repaired`: what was done about it.
    """

    subject: str
    severity: Severity
    code: str
    found: str
    means: str = ""
    do: str = ""
    repaired: str = ""

    def line(self) -> str:
        """For the terminal."""
        mark = {"ok": "ok  ", "note": "note", "problem": "BAD ", "unchecked": "????"}[self.severity]
        parts = [f"{mark}  {self.subject:<13} {self.code}: {self.found}"]
        if self.means:
            parts.append(f"This means: {self.means}.")
        if self.repaired:
            parts.append(f"Repaired: {self.repaired}.")
        elif self.do:
            parts.append(f"To do: {self.do}.")
        return " ".join(parts)

    def record(self) -> dict[str, str]:
        """For JSON."""
        return {name: str(value) for name, value in asdict(self).items()}


def ok(subject: str, found: str) -> Finding:
    """Looked at, and in order."""
    return Finding(subject, Severity.OK, "OK", found)


def note(subject: str, code: str, found: str, do: str = "") -> Finding:
    """Worth knowing."""
    return Finding(subject, Severity.NOTE, code, found, do=do)


def problem(subject: str, code: str, found: str, *, means: str, do: str, repaired: str = "") -> Finding:
    """Not as it should be."""
    return Finding(subject, Severity.PROBLEM, code, found, means, do, repaired)


def unchecked(subject: str, code: str, found: str, do: str = "") -> Finding:
    """Nothing is known about it."""
    return Finding(subject, Severity.UNCHECKED, code, found, do=do)


def exit_code(findings: list[Finding]) -> int:
    """0: all in order, or repaired. 1: something is not. 2: nothing is wrong, as far as could be looked."""
    if any(one.severity is Severity.PROBLEM and not one.repaired for one in findings):
        return 1
    return 2 if any(one.severity is Severity.UNCHECKED for one in findings) else 0

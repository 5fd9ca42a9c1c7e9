"""The warnings of dciodvfy and dcentvfy that a derived object may raise, each with its reason; no other is allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Allowed:
    """Warnings that match `pattern`, about objects whose name matches `where`, are allowed because of `reason`."""

    pattern: str
    reason: str
    where: str = ".*"

    def covers(self, name: str, line: str) -> bool:
        return bool(re.search(self.pattern, line) and re.search(self.where, name))


ALLOWED = (
    Allowed(
        r"CodingSchemeDesignator.* Unrecognized defined term = <99SOFTRAY>",
        "a private scheme, declared in Coding Scheme Identification Sequence: no standard code says bone suppression",
    ),
    Allowed(
        r"</ContributingEquipmentSequence.*/DeviceUID.* not present in standard DICOM IOD",
        "PS3.3 C.12.1.1.5 has had Device UID here since 2020, and IHE AIR demands it; dciodvfy lags",
    ),
    Allowed(
        r"</ImagerPixelSpacing.* not present in standard DICOM IOD",
        "a legal extension (PS3.4 B.3.1): viewers measure with it, and Secondary Capture has no truthful place for it",
        where="SC",
    ),
)


def reason_of(name: str, line: str) -> str | None:
    """Why the warning `line` about the object `name` is allowed; None when it is not."""
    return next((one.reason for one in ALLOWED if one.covers(name, line)), None)

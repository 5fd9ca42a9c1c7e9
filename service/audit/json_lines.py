"""The audit trail as JSON lines: one event a line, with both hashes, so that a copy can be verified without softray.

SHA-256 of an event: over the UTF-8 of its JSON with sorted keys and no spaces, all fields but `sha256`, `content` as
the string that it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from service.audit.chain import ChainedEvent
from service.errors import PermanentError


def to_lines(events: Iterable[ChainedEvent]) -> Iterator[str]:
    """One line for each event, without its line break."""
    for event in events:
        at = event.at.astimezone(UTC).isoformat(timespec="microseconds")
        yield json.dumps({**vars(event), "at": at}, sort_keys=True, separators=(",", ":"))


def from_lines(lines: Iterable[str]) -> Iterator[ChainedEvent]:
    """The events of an exported file. Raises PermanentError naming the first line that is none."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            yield ChainedEvent(**{**fields, "at": datetime.fromisoformat(fields["at"])})
        except (ValueError, TypeError, KeyError):
            raise PermanentError("NOT_AN_AUDIT_EVENT", f"line {number}: expected an exported audit event") from None

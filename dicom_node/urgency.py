"""How urgent a received image is: from the site file, the C-STORE-RQ's command and the image's header; pure.

docs/decisions/0023 says why a C-STORE Priority of LOW means nothing and one of HIGH does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from pydicom.dataset import Dataset

from dicom_node.header_values import text
from service.priorities import NO_DEADLINES, Deadlines, Priority


class CommandPriority(IntEnum):
    """Priority (0000,0700), PS3.7 Table E.1-1."""

    MEDIUM = 0x0000
    HIGH = 0x0001
    LOW = 0x0002


@dataclass(frozen=True)
class CommandFacts:
    """What a C-STORE-RQ says beside its data set; a STOW-RS request says none of it.

    `move_originator`: Move Originator Application Entity Title (0000,1030), set where the image comes by a C-MOVE.
    """

    priority: int | None = None
    move_originator: str | None = None


NO_COMMAND = CommandFacts()


@dataclass(frozen=True)
class UrgencyRules:
    """Who is urgent at this site: the site file's `[[sender]]` table, our own AE title, and the deadlines."""

    of_senders: Mapping[str, Priority] = field(default_factory=dict)
    ae_title: str = ""
    deadlines: Deadlines = NO_DEADLINES

    def priority(self, calling_ae_title: str, command: CommandFacts, elements: Dataset) -> Priority:
        """The first of these that says something: sender, own pull, command, header; else ROUTINE."""
        decided = self.of_senders.get(calling_ae_title.strip())
        if decided is not None:
            return decided
        if command.move_originator and command.move_originator == self.ae_title:
            return Priority.PRIOR
        if command.priority == CommandPriority.HIGH or _requested_urgently(elements):
            return Priority.STAT
        return Priority.ROUTINE


def _requested_urgently(elements: Dataset) -> bool:
    """Requested Procedure Priority (0040,1003), copied by some consoles from the worklist (PS3.3 C.4.11)."""
    return text(elements, "RequestedProcedurePriority").upper() in {"STAT", "HIGH"}

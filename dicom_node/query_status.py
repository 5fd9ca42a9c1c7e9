"""Statuses of C-FIND and C-MOVE (PS3.4 Tables C.4-1 and C.4-2), as an SCU reads them.

The tables are read from the top: the first range that holds a status gives its meaning. Pending is no outcome, so
0xFF00 and 0xFF01 stand apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from dicom_node.status import Outcome, StatusRange

PENDING = (0xFF00, 0xFF01)
CANCELLED = 0xFE00
SUBOPERATIONS_FAILED = 0xB000

_NOT_AUTHORISED = StatusRange(0x0124, 0x0124, "NOT_AUTHORISED", "not authorised", Outcome.REFUSED)
_NOT_SUPPORTED = StatusRange(0x0122, 0x0122, "SOP_CLASS_NOT_SUPPORTED", "SOP class not supported", Outcome.REFUSED)
_CANCELLED = StatusRange(CANCELLED, CANCELLED, "CANCELLED", "cancelled", Outcome.RETRY)
_MISMATCH = StatusRange(0xA900, 0xA9FF, "QUERY_NOT_UNDERSTOOD", "identifier does not match SOP class", Outcome.REFUSED)
_UNABLE = StatusRange(0xC000, 0xCFFF, "UNABLE_TO_PROCESS", "unable to process", Outcome.RETRY)

C_FIND_STATUSES = (
    StatusRange(0x0000, 0x0000, "FOUND", "all matches were sent", Outcome.SENT),
    _NOT_SUPPORTED,
    _NOT_AUTHORISED,
    StatusRange(0xA700, 0xA7FF, "OUT_OF_RESOURCES", "out of resources", Outcome.RETRY),
    _MISMATCH,
    _UNABLE,
    _CANCELLED,
)

C_MOVE_STATUSES = (
    StatusRange(0x0000, 0x0000, "MOVED", "all instances were sent", Outcome.SENT),
    _NOT_SUPPORTED,
    _NOT_AUTHORISED,
    StatusRange(0xA701, 0xA701, "OUT_OF_RESOURCES", "out of resources: cannot count the matches", Outcome.RETRY),
    StatusRange(0xA702, 0xA702, "OUT_OF_RESOURCES", "out of resources: cannot send them", Outcome.RETRY),
    StatusRange(0xA700, 0xA7FF, "OUT_OF_RESOURCES", "out of resources", Outcome.RETRY),
    StatusRange(0xA801, 0xA801, "MOVE_DESTINATION_UNKNOWN", "the destination AE title is unknown", Outcome.REFUSED),
    _MISMATCH,
    StatusRange(
        SUBOPERATIONS_FAILED, SUBOPERATIONS_FAILED, "SOME_NOT_SENT", "one or more were not sent", Outcome.RETRY
    ),
    _UNABLE,
    _CANCELLED,
)
_UNKNOWN = StatusRange(0x0000, 0xFFFF, "UNKNOWN_STATUS", "a failure the Standard does not list", Outcome.REFUSED)


def meaning_in(table: Sequence[StatusRange], status: int) -> StatusRange:
    """What `status` means by `table`; a status nobody lists counts as a refusal."""
    return next((known for known in table if known.first <= status <= known.last), _UNKNOWN)

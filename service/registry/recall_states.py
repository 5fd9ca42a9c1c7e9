"""Where a recall stands, where each of its jobs stands, and why results are recalled; pure.

```text
           another person approves      a worker begins        every study told
PROPOSED -------------------------> APPROVED -------> RETRACTING --------------> DONE
   |  taken back by whoever may propose
   v
WITHDRAWN
```
"""

from __future__ import annotations

from enum import StrEnum


class RecallState(StrEnum):
    """Where a recall stands. From APPROVED on nothing of its jobs is sent any more."""

    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    RETRACTING = "RETRACTING"
    DONE = "DONE"
    WITHDRAWN = "WITHDRAWN"


class RecallItemState(StrEnum):
    """Where one job of a recall stands.

    LISTED: deliveries may still wait or be under way. STOPPED: none is. RETRACTING: the note of its study is being made
    or delivered. Ends: RETRACTED, the note has been delivered; UNSENT, no node has any of its results; UNREACHABLE,
    only nodes that were removed have them, and there they must be deleted by hand.
    """

    LISTED = "LISTED"
    STOPPED = "STOPPED"
    RETRACTING = "RETRACTING"
    RETRACTED = "RETRACTED"
    UNSENT = "UNSENT"
    UNREACHABLE = "UNREACHABLE"


class RecallReason(StrEnum):
    """Why, which decides what an archive may still show: the title of the rejection note."""

    PATIENT_SAFETY = "PATIENT_SAFETY"
    """113037, Rejected for Patient Safety Reasons: nobody is to see them."""
    QUALITY = "QUALITY"
    """113001, Rejected for Quality Reasons: kept for quality control, not for reading."""


IN_FORCE = (RecallState.APPROVED, RecallState.RETRACTING, RecallState.DONE)
OPEN_ITEMS = (RecallItemState.LISTED, RecallItemState.STOPPED, RecallItemState.RETRACTING)

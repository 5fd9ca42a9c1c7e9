"""What helps against a failure, in a sentence beside its code on the page; `docs/runbook/codes.md` has all codes."""

from __future__ import annotations

OTHERS = "The image's own page says what happened; the code stands in the runbook."

_HELP: dict[str, str] = {
    "DELIVERY_FAILED": "The image's page says which destination refused it and why. Put that right, then retry.",
    "NOTHING_ACCEPTED": "No destination took any object of it: see what they accept, then retry.",
    "PIXEL_DATA_TRUNCATED": "The pixels are damaged: have the image sent again under a new UID. A retry fails again.",
    "DECODE_FAILED": "The pixels are damaged: have the image sent again under a new UID. A retry fails again.",
    "FRAME_MISMATCH": "The pixels are damaged: have the image sent again under a new UID. A retry fails again.",
    "MODALITY_TRANSFORM_INVALID": "Its grey scale cannot be read: look at the original.",
    "NO_CONTRAST": "The image is blank: look at the original.",
    "DEADLINE_EXCEEDED": "Computing took too long: a faster device, fewer steps or a longer deadline, then retry.",
    "OUT_OF_MEMORY": "Free memory on that device, or make batches smaller; then retry.",
    "WORKER_STOPPED": "Workers were stopped before it had its turn: start one, then retry.",
    "ATTEMPTS_EXHAUSTED": "Workers are being killed: look into the system's log, then retry.",
    "RESULT_REJECTED": "The network's output was no image and nothing was delivered. Report it with the timeline.",
    "STORED_FILE_MISSING": "A stored file is gone: check the disk, restore it, then retry.",
    "STORED_FILE_ALTERED": "A stored file has changed: check the disk, restore it, then retry.",
    "COMMITMENT_FAILED": "The archive does not have what it had accepted: look into its log and disk, then retry.",
    "NO_DESTINATION": "Register a destination, then retry.",
}


def what_helps(code: str | None) -> str:
    """One sentence."""
    return _HELP.get(code or "", OTHERS)


def codes_with_help() -> frozenset[str]:
    """Those that have a sentence of their own."""
    return frozenset(_HELP)

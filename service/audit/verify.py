"""`verify`: walk the chain and name the first event that is not what it was when it was written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from service.audit.chain import NO_SHA256, ChainedEvent
from service.audit.records import Head


class Break(StrEnum):
    """What is wrong with the chain at its first broken place."""

    ALTERED = "ALTERED"
    MISSING = "MISSING"
    NOT_LINKED = "NOT_LINKED"
    END_MISSING = "END_MISSING"
    HEAD_DIFFERS = "HEAD_DIFFERS"
    CHECKPOINT_DIFFERS = "CHECKPOINT_DIFFERS"


@dataclass(frozen=True)
class Verdict:
    """`checked` events were read; `broken` None: all are as they were written. Else `seq` is the first that is not."""

    checked: int
    head: Head
    broken: Break | None = None
    seq: int | None = None
    message: str = ""


def verify(events: Iterable[ChainedEvent], head: Head | None, checkpoint: Head | None = None) -> Verdict:
    """Check `events`, the whole chain in its order, against its `head` and a `checkpoint` noted earlier elsewhere.

    `head` None: the row is missing. Whoever can rewrite every event and the head can make a chain that holds; the
    checkpoint, kept where they cannot write, finds that out.
    """
    last = Head(0, NO_SHA256)
    checked = 0
    for event in events:
        expected = last.seq + 1
        if event.seq != expected:
            return Verdict(checked, last, Break.MISSING, expected, f"expected event {expected}, found {event.seq}")
        if event.hashed() != event.sha256:
            words = f"event {event.seq} was altered: expected SHA-256 {event.sha256}, found {event.hashed()}"
            return Verdict(checked, last, Break.ALTERED, event.seq, words)
        if event.previous_sha256 != last.sha256:
            words = f"event {event.seq} does not follow event {last.seq} as that is now"
            return Verdict(checked, last, Break.NOT_LINKED, event.seq, words)
        if checkpoint is not None and event.seq == checkpoint.seq and event.sha256 != checkpoint.sha256:
            words = f"event {event.seq} is not the one of the checkpoint: the chain was rewritten"
            return Verdict(checked, last, Break.CHECKPOINT_DIFFERS, event.seq, words)
        checked += 1
        last = Head(event.seq, event.sha256)
    return _end(checked, last, head, checkpoint)


def _end(checked: int, last: Head, head: Head | None, checkpoint: Head | None) -> Verdict:
    known = max(head.seq if head else 0, checkpoint.seq if checkpoint else 0)
    if head is None:
        return Verdict(checked, last, Break.HEAD_DIFFERS, last.seq, "the row of the chain's head is missing")
    if known > last.seq:
        words = f"expected events up to {known}, found none from {last.seq + 1} on"
        return Verdict(checked, last, Break.END_MISSING, last.seq + 1, words)
    if head != last:
        words = f"the head names event {head.seq}, the chain ends with event {last.seq}"
        return Verdict(checked, last, Break.HEAD_DIFFERS, last.seq, words)
    return Verdict(checked, last)

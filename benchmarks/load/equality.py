"""Whether what came out is what went in: sent = acknowledged = recorded = received by the PACS, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom import dcmread

from benchmarks.load.radiographs import Radiograph
from benchmarks.load.receiver import Receiver
from benchmarks.load.senders import Acceptance
from benchmarks.load.stages import ImageRecord


@dataclass(frozen=True)
class Equality:
    """The numbers that have to agree, and those that have to be 0."""

    sent: int
    acknowledged: int
    recorded: int
    received: int
    lost: int
    """Acknowledged images of which the PACS has no result."""
    twice: int
    """Results that the PACS was sent more than once."""
    foreign: int
    """Instances at the PACS that are nobody's result."""
    other_pixels: int
    """Results whose stored values are not exactly those of their source."""

    @property
    def holds(self) -> bool:
        """Everything acknowledged came out, once and whole."""
        return self.acknowledged == self.recorded == self.received and not (
            self.lost or self.twice or self.foreign or self.other_pixels
        )


def compare(
    radiographs: Sequence[Radiograph], acceptance: Acceptance, records: Sequence[ImageRecord], receiver: Receiver
) -> Equality:
    """Every instance is compared, and the pixels of every result (the copy step must not change any)."""
    received = receiver.received()
    derived = {record.sop_instance_uid: record.derived_sop_instance_uid for record in records}
    wanted = {derived.get(uid, "") for uid in acceptance.acknowledged}
    other_pixels = 0
    for radiograph in radiographs:
        result = derived.get(radiograph.sop_instance_uid)
        if result is not None and result in received:
            source, made = dcmread(radiograph.path), dcmread(receiver.path_of(result))
            other_pixels += made.SOPInstanceUID != result or made.PixelData != source.PixelData
    return Equality(
        sent=len(radiographs),
        acknowledged=len(acceptance.acknowledged),
        recorded=len(derived),
        received=len(received),
        lost=sum(derived.get(uid, "") not in received for uid in acceptance.acknowledged),
        twice=sum(count > 1 for count in received.values()),
        foreign=len(set(received) - wanted),
        other_pixels=other_pixels,
    )

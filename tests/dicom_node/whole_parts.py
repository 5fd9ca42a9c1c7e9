"""The parts of a multipart body put together again, as a test compares them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dicom_node.multipart_related import PartBegan, PartContent, PartEvent


@dataclass(frozen=True)
class Part:
    media_type: str
    content: bytes


def whole_parts(events: Iterable[PartEvent]) -> list[Part]:
    """The parts whose end came, in order."""
    parts: list[Part] = []
    media_type, content = "", b""
    for event in events:
        if isinstance(event, PartBegan):
            media_type, content = event.media_type, b""
        elif isinstance(event, PartContent):
            content += event.content
        else:
            parts.append(Part(media_type, content))
    return parts

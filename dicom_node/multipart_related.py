"""Taking a multipart/related body apart while it arrives, within bounds (RFC 2046 §5.1, PS3.18 §8.6.1.2).

Fed with pieces of any size, it says what each piece brought: a part begins, some of its content, its end. Nothing is
kept but what may be the start of a boundary, so that neither a request nor a part of it ever lies in memory as a whole.
Content is binary: a boundary counts only at the start of a line and as a whole line. A body that ends without its last
boundary is an error, and the part that was begun last has no end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from dicom_node.errors import MultipartError

MAX_HEADER_BYTES = 16 * 1024
MAX_PREAMBLE_BYTES = 64 * 1024
_LONGEST_BOUNDARY = 128  # RFC 2046 §5.1.1 says 70
_BOUNDARY_FORM = re.compile(rf"[ -~]{{1,{_LONGEST_BOUNDARY}}}")
_REST_OF_LINE = re.compile(rb"[ \t]{0,64}(?=\r\n)")
_MAYBE_REST_OF_LINE = re.compile(rb"-?|[ \t]{0,64}\r?")


@dataclass(frozen=True)
class PartLimits:
    """The most parts, the most bytes of one part (whoever takes it counts them), and the most of the whole body."""

    max_parts: int
    max_part_bytes: int
    max_total_bytes: int


@dataclass(frozen=True)
class PartBegan:
    """A part begins: its Content-Type, "" for none."""

    media_type: str


@dataclass(frozen=True)
class PartContent:
    """The next bytes of the part that began last."""

    content: bytes


@dataclass(frozen=True)
class PartEnded:
    """The part that began last is whole."""


PartEvent = PartBegan | PartContent | PartEnded


class _At(Enum):
    PREAMBLE = auto()
    HEADERS = auto()
    CONTENT = auto()
    EPILOGUE = auto()


class PartParser:
    """Feed it the body in pieces, then `finish`; after a MultipartError, every call raises it again."""

    def __init__(self, boundary: str, limits: PartLimits) -> None:
        if not _BOUNDARY_FORM.fullmatch(boundary):
            raise MultipartError("BOUNDARY_INVALID", f"expected a boundary of 1 to {_LONGEST_BOUNDARY} characters")
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        self._limits = limits
        self._at = _At.PREAMBLE
        self._waiting = bytearray(b"\r\n")  # the first boundary may stand at the very start
        self._total = self._begun = self._passed = 0
        self._fault: MultipartError | None = None

    def feed(self, piece: bytes) -> list[PartEvent]:
        """What this piece brought, in order. Raises MultipartError for a body that is none, or too large.

        What came before the fault is given first; the call after that raises.
        """
        if self._fault is not None:
            raise self._fault
        self._total += len(piece)
        if self._total > self._limits.max_total_bytes:
            raise MultipartError("BODY_TOO_LARGE", f"expected at most {self._limits.max_total_bytes} bytes, found more")
        self._waiting += piece
        events: list[PartEvent] = []
        try:
            while self._step(events):
                pass
        except MultipartError as fault:
            self._fault = fault
            if not events:
                raise
        return events

    def finish(self) -> None:
        """Call at the end of the body. Raises MultipartError when it has no last boundary."""
        if self._fault is not None:
            raise self._fault
        if self._at is not _At.EPILOGUE:
            place = "before the first part" if self._begun == 0 else f"in part {self._begun}"
            raise MultipartError("BODY_TRUNCATED", f"expected a closing boundary, found the end {place}")

    def _step(self, events: list[PartEvent]) -> bool:
        """Whether there may be more to do with what is waiting."""
        match self._at:
            case _At.EPILOGUE:
                self._waiting.clear()
                return False
            case _At.HEADERS:
                return self._read_headers(events)
            case _:
                return self._look_for_boundary(events)

    def _look_for_boundary(self, events: list[PartEvent]) -> bool:
        found = self._waiting.find(self._delimiter)
        if found < 0:
            # The start of a boundary may be waiting at the end.
            self._pass_on(max(0, len(self._waiting) - len(self._delimiter) + 1), events)
            return False
        after = bytes(self._waiting[found + len(self._delimiter) : found + len(self._delimiter) + 80])
        line = _REST_OF_LINE.match(after)
        if after.startswith(b"--") or line is not None:
            self._pass_on(found, events)
            self._end_part(events)
            del self._waiting[: len(self._delimiter) + (line.end() if line else 2)]
            if line is None:
                self._at = _At.EPILOGUE
            else:
                self._begin_part()
            return True
        if _MAYBE_REST_OF_LINE.fullmatch(after):
            self._pass_on(found, events)
            return False
        self._pass_on(found + len(self._delimiter), events)  # content that looks like a boundary
        return True

    def _pass_on(self, count: int, events: list[PartEvent]) -> None:
        """The first `count` bytes that wait are content, or text before the first part."""
        self._passed += count
        if self._at is not _At.CONTENT:
            if self._passed > MAX_PREAMBLE_BYTES:
                raise MultipartError("BOUNDARY_MISSING", "expected the boundary that Content-Type names, found none")
        elif count:
            with memoryview(self._waiting) as waiting:
                events.append(PartContent(bytes(waiting[:count])))
        del self._waiting[:count]

    def _begin_part(self) -> None:
        self._begun += 1
        if self._begun > self._limits.max_parts:
            raise MultipartError("TOO_MANY_PARTS", f"expected at most {self._limits.max_parts} parts, found more")
        self._at = _At.HEADERS

    def _read_headers(self, events: list[PartEvent]) -> bool:
        # What waits starts with the line break that ends the boundary's line.
        end = self._waiting.find(b"\r\n\r\n")
        if end > MAX_HEADER_BYTES or (end < 0 and len(self._waiting) > MAX_HEADER_BYTES):
            raise MultipartError("PART_HEADERS_INVALID", f"expected at most {MAX_HEADER_BYTES} bytes of headers")
        if end < 0:
            return False
        events.append(PartBegan(_media_type(bytes(self._waiting[2:end]))))
        del self._waiting[: end + 4]
        self._passed = 0
        self._at = _At.CONTENT
        return True

    def _end_part(self, events: list[PartEvent]) -> None:
        if self._at is _At.CONTENT:
            events.append(PartEnded())


def _media_type(headers: bytes) -> str:
    found = ""
    for line in headers.split(b"\r\n") if headers else []:
        name, colon, value = line.partition(b":")
        if line[:1] in (b" ", b"\t"):  # a folded line belongs to the one before it
            continue
        if not colon or not name.strip():
            raise MultipartError("PART_HEADERS_INVALID", "expected 'Name: value' lines before a part's content")
        value = value.strip().lower()
        match name.strip().lower():
            case b"content-type":
                found = value.split(b";")[0].strip().decode("latin-1")
            case b"content-transfer-encoding" if value not in (b"", b"binary", b"8bit"):
                raise MultipartError("PART_ENCODED", "expected binary content, found a transfer encoding")
            case b"content-encoding" if value not in (b"", b"identity"):
                raise MultipartError("PART_ENCODED", "expected content as it is, found a content encoding")
    return found

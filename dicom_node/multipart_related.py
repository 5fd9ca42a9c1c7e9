"""Taking a multipart/related body apart while it arrives, within bounds (RFC 2046 §5.1, PS3.18 §8.6.1.2).

Fed with pieces of any size, it gives each part as soon as its end was seen, so that a request of many radiographs never
lies in memory as a whole. Content is binary: a boundary counts only at the start of a line and as a whole line. A body
that ends without its last boundary is an error, and what was begun last is given to nobody.
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
    """The most parts, the most bytes kept of one part, and the most bytes of the whole body."""

    max_parts: int
    max_part_bytes: int
    max_total_bytes: int


@dataclass(frozen=True)
class Part:
    """One part: its Content-Type ("" for none), and its content, cut off at the limit when `size_bytes` is larger."""

    media_type: str
    content: bytearray
    size_bytes: int


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
        self._media_type = ""
        self._content = bytearray()
        self._fault: MultipartError | None = None

    def feed(self, piece: bytes) -> list[Part]:
        """The parts that end in this piece, in order. Raises MultipartError for a body that is none, or too large.

        Parts that ended before the fault are given first; the call after that raises.
        """
        if self._fault is not None:
            raise self._fault
        self._total += len(piece)
        if self._total > self._limits.max_total_bytes:
            raise MultipartError("BODY_TOO_LARGE", f"expected at most {self._limits.max_total_bytes} bytes, found more")
        self._waiting += piece
        ended: list[Part] = []
        try:
            while self._step(ended):
                pass
        except MultipartError as fault:
            self._fault = fault
            if not ended:
                raise
        return ended

    def finish(self) -> None:
        """Call at the end of the body. Raises MultipartError when it has no last boundary."""
        if self._fault is not None:
            raise self._fault
        if self._at is not _At.EPILOGUE:
            place = "before the first part" if self._begun == 0 else f"in part {self._begun}"
            raise MultipartError("BODY_TRUNCATED", f"expected a closing boundary, found the end {place}")

    def _step(self, ended: list[Part]) -> bool:
        """Whether there may be more to do with what is waiting."""
        match self._at:
            case _At.EPILOGUE:
                self._waiting.clear()
                return False
            case _At.HEADERS:
                return self._read_headers()
            case _:
                return self._look_for_boundary(ended)

    def _look_for_boundary(self, ended: list[Part]) -> bool:
        found = self._waiting.find(self._delimiter)
        if found < 0:
            # The start of a boundary may be waiting at the end.
            self._pass_on(max(0, len(self._waiting) - len(self._delimiter) + 1))
            return False
        after = bytes(self._waiting[found + len(self._delimiter) : found + len(self._delimiter) + 80])
        line = _REST_OF_LINE.match(after)
        if after.startswith(b"--") or line is not None:
            self._pass_on(found)
            self._end_part(ended)
            del self._waiting[: len(self._delimiter) + (line.end() if line else 2)]
            if line is None:
                self._at = _At.EPILOGUE
            else:
                self._begin_part()
            return True
        if _MAYBE_REST_OF_LINE.fullmatch(after):
            self._pass_on(found)
            return False
        self._pass_on(found + len(self._delimiter))  # content that looks like a boundary
        return True

    def _pass_on(self, count: int) -> None:
        """The first `count` bytes that wait are content, or text before the first part."""
        self._passed += count
        if self._at is _At.CONTENT:
            room = self._limits.max_part_bytes - len(self._content)
            with memoryview(self._waiting) as waiting:
                self._content += waiting[: min(count, room)]
        elif self._passed > MAX_PREAMBLE_BYTES:
            raise MultipartError("BOUNDARY_MISSING", "expected the boundary that Content-Type names, found none")
        del self._waiting[:count]

    def _begin_part(self) -> None:
        self._begun += 1
        if self._begun > self._limits.max_parts:
            raise MultipartError("TOO_MANY_PARTS", f"expected at most {self._limits.max_parts} parts, found more")
        self._at = _At.HEADERS

    def _read_headers(self) -> bool:
        # What waits starts with the line break that ends the boundary's line.
        end = self._waiting.find(b"\r\n\r\n")
        if end > MAX_HEADER_BYTES or (end < 0 and len(self._waiting) > MAX_HEADER_BYTES):
            raise MultipartError("PART_HEADERS_INVALID", f"expected at most {MAX_HEADER_BYTES} bytes of headers")
        if end < 0:
            return False
        self._media_type = _media_type(bytes(self._waiting[2:end]))
        del self._waiting[: end + 4]
        self._passed = 0
        self._at = _At.CONTENT
        return True

    def _end_part(self, ended: list[Part]) -> None:
        if self._at is _At.CONTENT:
            ended.append(Part(self._media_type, self._content, self._passed))
            self._content = bytearray()


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

"""A data set that lies in memory, or is mapped there, as the file that pydicom reads: only what is read is copied."""

from __future__ import annotations

import io
import os


class MemoryReader(io.RawIOBase):
    """`content` as a binary file open for reading."""

    def __init__(self, content: bytes | memoryview) -> None:
        self._content = memoryview(content)
        self._position = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """The next `size` bytes, fewer at the end; all that is left when negative or None."""
        end = len(self._content) if size is None or size < 0 else self._position + size
        part = bytes(self._content[self._position : end])
        self._position += len(part)
        return part

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to `offset`; as with a file, not before the beginning."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: len(self._content)}[whence]
        if base + offset < 0:
            raise OSError(f"expected a position of at least 0, found {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """The position of the next byte."""
        return self._position

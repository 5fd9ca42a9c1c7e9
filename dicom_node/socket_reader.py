"""Reading from a peer that may be slow, silent or hostile: exact lengths, bounded memory, deadlines.

One buffer a connection, filled by large reads; bulk is handed out as views of it, so that a data set is never copied.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager

_BUFFER_BYTES = 256 * 1024
# A peer that is still sending must bring at least this much in each timeout.
PROGRESS_BYTES = 128 * 1024


class PeerClosedError(OSError):
    """The connection ended where more was expected."""


class PeerSilentError(OSError):
    """Too little came in the time that a peer is given."""


class SocketReader:
    """Reads `connection`; `timeout_s` is the time in which PROGRESS_BYTES, or the rest of what is read, must come."""

    def __init__(self, connection: socket.socket, timeout_s: float) -> None:
        self._connection = connection
        self.timeout_s = timeout_s
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._start = self._end = 0
        self._poll = select.poll()  # not select(), which knows descriptors below 1024 only
        self._poll.register(connection, select.POLLIN)

    def ready(self, wait_s: float) -> bool:
        """Whether there is something to read, or the end of it, within `wait_s`."""
        if self._end > self._start:
            return True
        if isinstance(self._connection, ssl.SSLSocket) and self._connection.pending():
            return True
        return bool(self._poll.poll(wait_s * 1000))

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes. Raises PeerClosedError, PeerSilentError or OSError."""
        return b"".join(bytes(piece) for piece in self.pieces(size))

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes as views that are good until the next step. Raises as `exactly` does."""
        deadline, progress = time.monotonic() + self.timeout_s, 0
        while size:
            if self._start == self._end:
                self._fill(deadline)
            piece = self._buffer[self._start : min(self._end, self._start + size)]
            self._start += len(piece)
            size -= len(piece)
            progress += len(piece)
            if progress >= PROGRESS_BYTES:
                deadline, progress = time.monotonic() + self.timeout_s, 0
            yield piece

    def _fill(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise PeerSilentError(f"expected more bytes within {self.timeout_s:g} s")
        self._connection.settimeout(left)
        try:
            received = self._connection.recv_into(self._buffer)
        except TimeoutError:
            raise PeerSilentError(f"expected more bytes within {self.timeout_s:g} s") from None
        if received == 0:
            raise PeerClosedError("the peer closed the connection")
        self._start, self._end = 0, received

    @contextmanager
    def within(self, timeout_s: float) -> Iterator[None]:
        """Read what is read in this block within `timeout_s`, whatever its progress."""
        usual, self.timeout_s = self.timeout_s, timeout_s
        try:
            yield
        finally:
            self.timeout_s = usual

    def skip(self) -> None:
        """Throw away what is there. Raises PeerClosedError at the end."""
        if self._start == self._end:
            self._fill(time.monotonic() + self.timeout_s)
        self._start = self._end

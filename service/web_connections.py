"""A web server's connections that do not wait for ever: whoever sends no whole request is cut off.

uvicorn bounds the pause between two requests, but not the wait for the first one, nor for the rest of one.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_S = 10.0


class ImpatientConnection(H11Protocol):
    """Closes itself when no request head is complete after `PATIENCE_S`, twice that in the middle of one."""

    closes_in: ClassVar[frozenset[object]] = frozenset({h11.IDLE})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The peer is there; it may speak."""
        super().connection_made(transport)
        self._look_again()

    def _look_again(self) -> None:
        self.loop.call_later(PATIENCE_S, self._look, self.cycle)

    def _look(self, cycle_before: object) -> None:
        if self.transport.is_closing():
            return
        if self.conn.their_state in self.closes_in and self.cycle is cycle_before:
            self.transport.close()
            return
        self._look_again()


class SmallRequestConnection(ImpatientConnection):
    """Waits no longer for a body either: for servers whose requests are small. Answers may take any time."""

    closes_in = frozenset({h11.IDLE, h11.SEND_BODY})

"""A web server's connection that does not wait for ever: whoever sends no whole request head is cut off.

uvicorn bounds the pause between two requests, but not the wait for the first one.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_HEAD_S = 10.0


class ImpatientConnection(H11Protocol):
    """Closes itself when no request head is complete after `REQUEST_HEAD_S`, twice that in the middle of one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The peer is there; it may speak."""
        super().connection_made(transport)
        self._look_again()

    def _look_again(self) -> None:
        self.loop.call_later(REQUEST_HEAD_S, self._look, self.cycle)

    def _look(self, cycle_before: object) -> None:
        if self.transport.is_closing():
            return
        if self.conn.their_state is h11.IDLE and self.cycle is cycle_before:
            self.transport.close()
            return
        self._look_again()

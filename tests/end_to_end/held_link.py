"""A TCP link that lets so many bytes through and then holds the rest, until it is told to go on."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class HeldLink:
    """Forwards one connection from `port` to `target`; `held` is set once it holds, `go_on` lets the rest through."""

    def __init__(self, target: int, after_bytes: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.held = threading.Event()
        self.go_on = threading.Event()
        self._target = target
        self._left = after_bytes
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.go_on.set()
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            sender, _ = self._listener.accept()
            receiver = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._forward, args=(receiver, sender, False), daemon=True).start()
            self._forward(sender, receiver, True)

    def _forward(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
                if counts and self._left > 0:
                    self._left -= len(piece)
                    if self._left <= 0:
                        self.held.set()
                        self.go_on.wait(60)
            sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def held_link(target: int, *, after_bytes: int) -> Iterator[HeldLink]:
    link = HeldLink(target, after_bytes)
    try:
        yield link
    finally:
        link.close()

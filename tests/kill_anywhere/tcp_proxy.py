"""A TCP proxy on a loopback port whose connections can be cut, and that can refuse new ones for a while."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading


class TcpProxy:
    """Forwards to `target_port` until it is closed; one thread for all connections."""

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._refusing = threading.Event()
        self._closed = threading.Event()
        self._cut = threading.Event()
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        self.connections_cut = 0
        self._thread = threading.Thread(target=self._forward, name=f"proxy-{self.port}", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Break every connection off, as a cable does that somebody pulls: with a reset."""
        self._cut.set()

    def refuse(self, refused: bool) -> None:
        """Whether new connections are broken off at once."""
        if refused:
            self._refusing.set()
        else:
            self._refusing.clear()

    def close(self) -> None:
        """Stop forwarding."""
        self._closed.set()
        self._thread.join(timeout=5)

    def _forward(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._closed.is_set():
                for key, _ in selector.select(timeout=0.02):
                    if key.fileobj is self._listener:
                        self._accept(selector)
                    elif isinstance(key.fileobj, socket.socket):
                        self._pump(key.fileobj, selector)
                if self._cut.is_set():
                    self._cut.clear()
                    self.connections_cut += len(self._pairs) // 2
                    for one in list(self._pairs):
                        self._end(one, selector)
            for one in list(self._pairs):
                self._end(one, selector)
            self._listener.close()

    def _accept(self, selector: selectors.BaseSelector) -> None:
        try:
            near, _ = self._listener.accept()
        except OSError:
            return
        if self._refusing.is_set():
            _reset(near)
            return
        try:
            far = socket.create_connection(self._target, timeout=1.0)
        except OSError:
            _reset(near)
            return
        for one, other in ((near, far), (far, near)):
            one.settimeout(5.0)  # a frozen receiver must not hold the others for ever
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs[one] = other
            selector.register(one, selectors.EVENT_READ)

    def _pump(self, source: socket.socket, selector: selectors.BaseSelector) -> None:
        target = self._pairs.get(source)
        if target is None:
            return
        try:
            content = source.recv(262144)
            if content:
                target.sendall(content)
                return
        except OSError:
            pass
        self._end(source, selector, reset=False)

    def _end(self, one: socket.socket, selector: selectors.BaseSelector, *, reset: bool = True) -> None:
        other = self._pairs.pop(one, None)
        for each in (one, other):
            if each is None:
                continue
            self._pairs.pop(each, None)
            with contextlib.suppress(KeyError, ValueError):
                selector.unregister(each)
            if reset:
                _reset(each)
            else:
                each.close()


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()

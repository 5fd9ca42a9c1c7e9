"""A DICOMweb service that answers what a test tells it to, over real connections, and keeps what it was asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dicom_node.web_peer import WebPeer

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ScriptedPeer:
    """`answer` is called with each request; `asked` holds them all."""

    url: str
    answer: Callable[[Asked], Answer] = lambda _: (200, {}, b"")
    asked: list[Asked] = field(default_factory=list)

    @property
    def peer(self) -> WebPeer:
        return WebPeer(self.url)

    def says(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.answer = lambda _: (status, headers, body)


@contextlib.contextmanager
def scripted_peer() -> Iterator[ScriptedPeer]:
    script = ScriptedPeer("")

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            script.asked.append(asked)
            status, headers, answer = script.answer(asked)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing on the screen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_address[1]}/dicom-web"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()

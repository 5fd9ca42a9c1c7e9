"""A served API among callers that are many, or slow."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from service import web_connections
from service.api.problems import PROBLEM_MEDIA_TYPE
from service.api.serve import server_config
from service.settings import Settings
from tests.service.api.installation import Installation
from tests.service_process import free_port, wait_for

FIRST_PAGE = "/api/v1/version"


@pytest.fixture
def address(installation: Installation) -> Iterator[str]:
    """An API that is served as the process serves it, to whoever is on this machine."""
    port = free_port()
    app = installation.app(requests_per_s=50.0)
    server = uvicorn.Server(server_config(app, Settings(api_port=port)))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for("the API", lambda: server.started or None, within_s=20)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of a second in place of ten."""
    monkeypatch.setattr(web_connections, "PATIENCE_S", 0.3)


def said_until_closed(address: str, words: bytes) -> bytes:
    url = httpx.URL(address)
    with socket.create_connection((url.host, url.port or 80), timeout=10) as caller:
        caller.sendall(words)
        answer = b""
        while piece := caller.recv(1000):
            answer += piece
    return answer


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"GET /health/li",
        b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nname=",
    ],
)
def test_a_caller_that_never_comes_to_an_end_is_cut_off(address: str, words: bytes) -> None:
    answer = said_until_closed(address, words)
    assert not answer.startswith(b"HTTP/1.1 2")
    assert httpx.get(f"{address}/health/live").status_code == 200


@pytest.mark.usefixtures("impatient")
def test_a_caller_that_sends_a_byte_at_a_time_holds_no_connection(address: str) -> None:
    url = httpx.URL(address)
    with socket.create_connection((url.host, url.port or 80), timeout=10) as caller:
        caller.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        caller.settimeout(0.05)
        for _ in range(100):
            try:
                caller.sendall(b"x")
                if caller.recv(10) == b"":
                    return
            except TimeoutError:
                continue
            except OSError:
                return
    pytest.fail("expected the connection to be closed within five seconds")


def test_five_hundred_callers_at_once_are_all_answered(address: str) -> None:
    async def ask_all() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=500)
        async with httpx.AsyncClient(base_url=address, limits=limits, timeout=60, trust_env=False) as client:
            return await asyncio.gather(*(client.get(FIRST_PAGE) for _ in range(500)))

    answers = asyncio.run(ask_all())
    counted = Counter(answer.status_code for answer in answers)
    assert set(counted) == {200, 429}
    assert counted[200] >= 200
    for answer in answers:
        if answer.status_code == 429:
            assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
            assert int(answer.headers["retry-after"]) >= 1
    assert httpx.get(f"{address}/health/live").status_code == 200

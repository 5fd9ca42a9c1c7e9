from __future__ import annotations

from dataclasses import dataclass

from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from service.api.request_rate import BURST_S, RequestRate


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def served(per_s: float, clock: Clock) -> RequestRate:
    async def answer(_: Request) -> PlainTextResponse:
        return PlainTextResponse("here")

    app = Starlette(routes=[Route("/{path:path}", answer)])
    return RequestRate(app, per_s=per_s, clock=clock)


def statuses(app: RequestRate, count: int, path: str = "/api/v1/jobs", host: str = "203.0.113.9") -> list[int]:
    client = TestClient(app, client=(host, 5000))
    return [client.get(path).status_code for _ in range(count)]


def test_a_burst_is_served_and_what_is_more_is_asked_to_wait() -> None:
    clock = Clock()
    app = served(2, clock)
    burst = int(2 * BURST_S)
    assert statuses(app, burst + 2) == [200] * burst + [429] * 2
    refused = TestClient(app, client=("203.0.113.9", 5000)).get("/api/v1/jobs")
    assert (refused.headers["retry-after"], refused.json()["code"]) == ("1", "TOO_MANY_REQUESTS")
    clock.now += 1.0
    assert statuses(app, 3) == [200, 200, 429]


def test_one_address_does_not_use_up_anothers_share() -> None:
    app = served(2, Clock())
    statuses(app, 20)
    assert statuses(app, 1, host="203.0.113.10") == [200]
    statuses(app, 20, host="2001:db8::1")
    assert statuses(app, 1, host="2001:db8::2") == [429]


def test_health_is_told_to_whoever_asks_however_often() -> None:
    app = served(2, Clock())
    assert set(statuses(app, 50, "/health/live") + statuses(app, 50, "/readyz")) == {200}


def test_without_a_limit_nobody_waits() -> None:
    assert set(statuses(served(0, Clock()), 300)) == {200}


def test_callers_that_are_gone_are_forgotten() -> None:
    app = served(2, Clock())
    for number in range(10_500):
        app._wait_s(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}")
    assert len(app._buckets) == 10_000

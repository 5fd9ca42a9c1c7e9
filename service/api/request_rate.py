"""How many requests one address may make: a bucket that fills at a steady rate and holds a few seconds' worth.

Counted in this process: the limit keeps one caller from crowding out the others here, it guards no secret (guesses are
counted in the registry, `service.access.login_limits`). Health checks are not counted: a busy server is not a dead one.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.networks import network_of
from service.api.problems import Problem, problem_response

BURST_S = 4.0
_CALLERS_KEPT = 10_000
_NOT_COUNTED = ("/health", "/readyz")


@dataclass
class _Bucket:
    left: float
    at: float


class RequestRate:
    """ASGI middleware; `per_s` requests a second of one address, `BURST_S` times that at once. 0: no limit."""

    def __init__(self, app: ASGIApp, *, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._per_s = per_s
        self._most = max(1.0, per_s * BURST_S)
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer 429."""
        if self._per_s and scope["type"] == "http" and not scope["path"].startswith(_NOT_COUNTED):
            wait_s = self._wait_s(network_of(scope["client"][0]) if scope.get("client") else "")
            if wait_s > 0:
                message = f"expected at most {self._per_s:g} requests a second from one address; slow down"
                problem = Problem(status=429, code="TOO_MANY_REQUESTS", message=message)
                headers = {"Retry-After": str(math.ceil(wait_s))}
                await problem_response(problem, headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _wait_s(self, caller: str) -> float:
        """0 when the caller may go on, which counts; else the seconds until it may. Called on the event loop only."""
        now = self._clock()
        bucket = self._buckets.setdefault(caller, _Bucket(self._most, now))
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _CALLERS_KEPT:
            self._buckets.popitem(last=False)
        bucket.left = min(self._most, bucket.left + (now - bucket.at) * self._per_s)
        bucket.at = now
        if bucket.left < 1:
            return (1 - bucket.left) / self._per_s
        bucket.left -= 1
        return 0.0

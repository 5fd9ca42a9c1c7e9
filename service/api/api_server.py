"""uvicorn without its own reactions to signals: it stops when `StopSignals` says so, and open requests have a bound."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import uvicorn

from service.stop_signals import StopSignals

FINISH_PART = 0.8


def run_until_stopped(config: uvicorn.Config, stop: StopSignals, *, within_s: float) -> None:
    """Serve until the first signal; requests that run then may take most of `within_s` to end."""
    config.timeout_graceful_shutdown = max(1, round(within_s * FINISH_PART))
    server = _Server(config)
    stop.begin_work()
    stop.end_within(within_s)

    def end() -> None:
        stop.requested.wait()
        server.should_exit = True

    threading.Thread(target=end, name="api-stop", daemon=True).start()
    server.run()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: uvicorn would raise the signal again once it has stopped, which would be the second one."""
        yield

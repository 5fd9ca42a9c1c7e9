"""Redis, PostgreSQL and Orthanc as servers that can be killed, frozen and started again on the same port and folder."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers.process import PeerFailedError

READY_WITHIN_S = 60.0


@dataclass
class Peer:
    """One server. `ready` tells whether it answers; `user`: whom root runs it as."""

    name: str
    command: Sequence[str]
    log: Path
    ready: Callable[[], bool]
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    _process: subprocess.Popen[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Start it and wait for its first answer. Raises PeerFailedError."""
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            with self.log.open("ab") as output:
                self._process = subprocess.Popen(
                    list(self.command),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.log.parent,
                    start_new_session=True,
                    user=self.user,
                )
            while self._process.poll() is None and time.monotonic() < deadline:
                if self.ready():
                    return
                time.sleep(0.05)
            # A server killed a moment ago may leave its shared memory or its port for a moment.
            if time.monotonic() > deadline:
                raise PeerFailedError(f"{self.name}: {self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        """kill -9, with every process that it has started."""
        for pid in self.tree():
            _signal(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def kill_one_child(self) -> bool:
        """kill -9 of one that serves a client: PostgreSQL then breaks off all of them and recovers."""
        for pid in self.tree()[1:]:
            if b"127.0.0.1" in _command_line(pid):
                _signal(pid, signal.SIGKILL)
                return True
        return False

    def stop(self) -> None:
        """As an administrator stops it; the hard way after 15 s."""
        if self._process is None:
            return
        self.thaw()
        self._process.send_signal(self.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=15)
        self.kill()

    def freeze(self) -> None:
        """SIGSTOP to all its processes."""
        for pid in self.tree():
            _signal(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT to all its processes."""
        for pid in self.tree():
            _signal(pid, signal.SIGCONT)

    def tree(self) -> list[int]:
        """The server and its children, the server first."""
        if self._process is None or self._process.poll() is not None:
            return []
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        try:
            return [self._process.pid, *map(int, children.read_text().split())]
        except OSError:
            return [self._process.pid]


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""

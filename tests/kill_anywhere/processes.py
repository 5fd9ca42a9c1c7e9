"""The processes of the installation under test: started by the launcher, restarted whenever they end, and counted."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.kill_anywhere.points import Role

PARTS: Mapping[str, Role] = {
    "node": Role.NODE,
    "api": Role.API,
    "gpu-1": Role.GPU,
    "gpu-2": Role.GPU,
    "network-1": Role.NETWORK,
    "network-2": Role.NETWORK,
}
"""Two of each worker: while one is dead or frozen, the other takes over, and both sweep."""
STARTED_AFTER_S = 8.0


@dataclass(frozen=True)
class Exit:
    """A process that has ended, `ran_s` after its start."""

    name: str
    pid: int
    code: int
    ran_s: float

    @property
    def could_not_start(self) -> bool:
        """It found the registry away and said so with its exit code; whoever supervises it tries again."""
        return self.code == 1 and self.ran_s < STARTED_AFTER_S


class Processes:
    """Keeps `PARTS` running until it is closed."""

    def __init__(self, control: Path, logs: Path, environment: Mapping[str, str]) -> None:
        self._launcher = subprocess.Popen(
            [sys.executable, "-m", "tests.kill_anywhere.launcher", str(control), str(logs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(logs / "launcher.log").open("ab"),
            env=dict(environment),
            start_new_session=True,
        )
        self._names: dict[int, str] = {}
        self._started_at: dict[int, float] = {}
        self._closing = False
        self._changed = threading.Condition()
        self.exits: list[Exit] = []
        self._reader = threading.Thread(target=self._read, name="launcher", daemon=True)
        self._reader.start()
        for name in PARTS:
            self._start(name)

    def pid_of(self, name: str) -> int | None:
        """Its process id while it runs."""
        with self._changed:
            return next((pid for pid, known in self._names.items() if known == name), None)

    def name_of(self, pid: int) -> str:
        """Which part a process is."""
        with self._changed:
            return self._names.get(pid, "?")

    def wait_for_end(self, pid: int, within_s: float) -> Exit | None:
        """How it ended; None: it did not."""
        deadline = time.monotonic() + within_s
        with self._changed:
            while True:
                for ended in reversed(self.exits):
                    if ended.pid == pid:
                        return ended
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    return None

    def signal(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to a part; nothing happens when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def dump_stacks(self) -> None:
        """Have every part write what its threads are doing into its log."""
        for name in PARTS:
            if (pid := self.pid_of(name)) is not None:
                self.signal(pid, signal.SIGUSR1)

    def wait_until_all_run(self, within_s: float) -> bool:
        """Whether every part has a process."""
        with self._changed:
            return self._changed.wait_for(lambda: set(self._names.values()) == set(PARTS), within_s)

    def terminate(self, within_s: float) -> list[str]:
        """SIGTERM to all, as at the end of a day; the names of those that did not end in time and were killed."""
        with self._changed:
            self._closing = True
            pids = dict(self._names)
        for pid in pids:
            self.signal(pid, signal.SIGCONT)
            self.signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + within_s
        late = [
            name for pid, name in pids.items() if self.wait_for_end(pid, max(0.1, deadline - time.monotonic())) is None
        ]
        self.close()
        return late

    def close(self) -> None:
        """End everything at once."""
        self._closing = True
        assert self._launcher.stdin is not None
        self._launcher.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._launcher.wait(timeout=10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._launcher.pid, signal.SIGKILL)
        self._launcher.wait()
        self._reader.join(timeout=5)

    def _start(self, name: str) -> None:
        assert self._launcher.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._launcher.stdin.write(f"start {name} {PARTS[name]}\n".encode())
            self._launcher.stdin.flush()

    def _read(self) -> None:
        assert self._launcher.stdout is not None
        for line in self._launcher.stdout:
            word, one, two = line.decode().split()
            ended = None
            with self._changed:
                if word == "started":
                    self._names[int(two)] = one
                    self._started_at[int(two)] = time.monotonic()
                else:
                    pid = int(one)
                    ended = Exit(self._names.pop(pid), pid, int(two), time.monotonic() - self._started_at.pop(pid))
                    self.exits.append(ended)
                self._changed.notify_all()
            if ended is not None and not self._closing:
                if ended.could_not_start:
                    time.sleep(0.2)  # not a thousand times a second
                self._start(ended.name)

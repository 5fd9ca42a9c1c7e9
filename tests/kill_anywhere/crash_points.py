"""Inside a process under test: named functions of the product stop exactly where the harness wants them to.

The product knows nothing of this. Each point wraps one function, found by its dotted name, and looks on every call
whether the harness has armed it: a file in the control folder, which the first call takes away, so that of any number
of threads and processes exactly one is hit, once.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.kill_anywhere.points import Point, When, points_of

HOLD_AT_MOST_S = 60.0
_POLL_S = 0.005


class Action(StrEnum):
    """What an armed point does to the process, or to the call, that reaches it."""

    KILL = "KILL"
    STOP = "STOP"
    TERMINATE = "TERMINATE"
    TERMINATE_TWICE = "TERMINATE_TWICE"
    HOLD = "HOLD"
    """Wait there until the harness lets go."""
    SKIP = "SKIP"
    """The call is left out: a lost message."""
    REPEAT = "REPEAT"
    """The call is made twice: a message delivered twice."""


class ControlFolder:
    """What harness and processes tell each other: armed, reached and released points, one file each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._armed, self._reached, self._released = (root / name for name in ("armed", "reached", "released"))

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (self._armed, self._reached, self._released, self.root / "unfit"):
            folder.mkdir(parents=True, exist_ok=True)

    def arm(self, key: str, action: Action) -> None:
        """The next call that passes the point does `action`."""
        written = self.root / f"{key}.new"
        written.write_text(action)
        for old in (*self._reached.glob(f"{key}@*"), self._released / key):
            old.unlink(missing_ok=True)
        written.replace(self._armed / key)

    def disarm(self, key: str) -> bool:
        """Take it back; False: it was reached."""
        try:
            (self._armed / key).unlink()
        except FileNotFoundError:
            return False
        return True

    def reached_by(self, key: str) -> int | None:
        """The id of the process that has reached it."""
        found = next(self._reached.glob(f"{key}@*"), None)
        return None if found is None else int(found.name.rsplit("@", 1)[1])

    def release(self, key: str) -> None:
        """Let go what is held there."""
        (self._released / key).touch()

    def unfit(self, sop_instance_uid: str) -> Path:
        """Where this file is, the image fails for good."""
        return self.root / "unfit" / sop_instance_uid

    def take(self, key: str) -> Action | None:
        """For the process: what to do now; None: not armed."""
        taken = self._reached / f"{key}@{os.getpid()}"
        try:
            (self._armed / key).rename(taken)
        except FileNotFoundError:
            return None
        return Action(taken.read_text())

    def wait_for_release(self, key: str) -> None:
        """For the process: stand still."""
        deadline = time.monotonic() + HOLD_AT_MOST_S
        while time.monotonic() < deadline and not (self._released / key).exists():
            time.sleep(_POLL_S)


def install(role: str, control: ControlFolder) -> None:
    """Wrap every point of `role`. Raises AttributeError or ImportError when a named function is gone."""
    for point in points_of(role):
        _wrap(point, control)


def resolve(target: str) -> tuple[Any, str, Callable[..., Any]]:
    """The module or class that holds the function named by `target`, its name there, and the function."""
    parts = target.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            holder: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:-1]:
            holder = getattr(holder, part)
        return holder, parts[-1], getattr(holder, parts[-1])
    raise ImportError(f"no module holds {target}")


def _wrap(point: Point, control: ControlFolder) -> None:
    holder, name, function = resolve(point.target)

    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        if point.when is When.AFTER:
            answer = function(*args, **kwargs)
            if _on_thread(point):
                _obey(control.take(point.key), point.key, control)
            return answer
        action = control.take(point.key) if _on_thread(point) else None
        _obey(action, point.key, control)
        if action is Action.SKIP:
            return None
        if action is Action.REPEAT:
            function(*args, **kwargs)
        return function(*args, **kwargs)

    setattr(holder, name, watched)


def _on_thread(point: Point) -> bool:
    return point.thread is None or threading.current_thread().name == point.thread


def _obey(action: Action | None, key: str, control: ControlFolder) -> None:
    match action:
        case Action.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        case Action.STOP:
            os.kill(os.getpid(), signal.SIGSTOP)
        case Action.TERMINATE:
            os.kill(os.getpid(), signal.SIGTERM)
        case Action.TERMINATE_TWICE:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGTERM)
        case Action.HOLD:
            control.wait_for_release(key)
        case _:
            pass

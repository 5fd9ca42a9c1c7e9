"""A Celery broker that needs no server: message files in one folder, for everything on one machine.

Derives from kombu's filesystem transport and closes its races. There, a message can be read before its writer has
written it, and two processes that start together can read each other's half-written list of queues; either ends a
worker. Here both appear by an atomic rename. A message that a killed process had taken is gone, which costs nothing:
the row is the truth, and the sweep announces it again.
"""

from __future__ import annotations

import fcntl
import json
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.transport.virtual import BrokerState

LONGEST_WAIT_S = 0.5
ALIAS = "filesystem"


def register_folder_broker() -> None:
    """Let `filesystem://` mean this transport in this process."""
    TRANSPORT_ALIASES[ALIAS] = "service.folder_broker:FolderTransport"


def folder_broker_options(folder: Path, polling_interval_s: float) -> dict[str, Any]:
    """Celery's `broker_transport_options`; creates the folders."""
    messages, control = folder / "messages", folder / "control"
    for part in (messages, control):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "control_folder": str(control),
        "polling_interval": polling_interval_s,
    }


class FolderChannel(filesystem.Channel):
    """One file per message, `<time in ns>_<uuid>.<queue>.msg`; the oldest name is the next message.

    The folder is listed once for all the messages in it: to list it for each would cost the square of a backlog.
    """

    def __init__(self, connection: Any, **options: Any) -> None:
        super().__init__(connection, **options)  # type: ignore[no-untyped-call]
        self._seen: defaultdict[str, deque[Path]] = defaultdict(deque)

    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020d}_{uuid.uuid4()}"
        _write_atomically(folder / f"{name}.{queue}.msg", payload)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        seen = self._seen[queue]
        was_listed_before = bool(seen)
        if not seen:
            seen.extend(sorted(self._messages(queue)))
        while seen:
            file = seen.popleft()
            taken = file.with_suffix(".taken")
            try:
                file.rename(taken)  # of several consumers, one succeeds
                content = taken.read_bytes()
                taken.unlink()
                payload: dict[str, Any] = json.loads(content)
            except (FileNotFoundError, ValueError):
                continue
            return payload
        if was_listed_before:  # others took what was there then; there may be younger ones
            return self._get(queue, timeout)
        raise Empty

    def _purge(self, queue: str) -> int:
        messages = list(self._messages(queue))
        for file in messages:
            file.unlink(missing_ok=True)
        return len(messages)

    def _size(self, queue: str) -> int:
        return sum(1 for _ in self._messages(queue))

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        file = self._bindings(exchange)
        with _locked(file):
            bindings = self.get_table(exchange)
            if binding not in bindings:
                _write_atomically(file, [binding, *bindings])

    def get_table(self, exchange: str) -> list[filesystem.exchange_queue_t]:
        """The queues bound to `exchange`."""
        try:
            return [filesystem.exchange_queue_t(*row) for row in json.loads(self._bindings(exchange).read_text())]
        except FileNotFoundError:
            return []

    def _bindings(self, exchange: str) -> Path:
        file: Path = self._exchange_file(exchange)  # type: ignore[no-untyped-call]
        return file

    def _messages(self, queue: str) -> Iterator[Path]:
        ending = f".{queue}.msg"
        return (file for file in Path(self.data_folder_in).iterdir() if file.name.endswith(ending))


class FolderTransport(filesystem.Transport):
    """kombu's filesystem transport with the channel above."""

    Channel = FolderChannel

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)  # type: ignore[no-untyped-call]
        # What is bound stands in the control folder. kombu also remembers it for the whole process, and would not bind
        # again in another folder.
        self.state = BrokerState()  # type: ignore[no-untyped-call]

    def drain_events(self, connection: Any, timeout: float | None = None, **options: Any) -> None:
        """Wait for a message; a wait with an end is cut short, so that a worker looks in between whether to stop."""
        wait_s = None if timeout is None else min(timeout, LONGEST_WAIT_S)
        super().drain_events(connection, wait_s, **options)  # type: ignore[no-untyped-call]


def _write_atomically(file: Path, content: object) -> None:
    # Not fsynced: a lost message is announced again, and an fsync would slow every C-STORE down.
    temporary = file.with_name(f".{uuid.uuid4()}.tmp")
    temporary.write_text(json.dumps(content))
    temporary.replace(file)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sweep_folder_broker(folder: Path, older_than_s: float) -> int:
    """Remove what killed processes left of messages that they were taking or writing; returns how many files.

    Nothing is lost with them: the sweep announces their rows again.
    """
    removed = 0
    limit = time.time() - older_than_s
    messages = folder / "messages"
    for file in messages.iterdir() if messages.is_dir() else ():
        if file.name.endswith((".taken", ".tmp")):
            try:
                if file.stat().st_mtime < limit:
                    file.unlink()
                    removed += 1
            except FileNotFoundError:
                continue  # its process was only slow
    return removed

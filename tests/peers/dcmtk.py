"""DCMTK's commands: senders and a receiver that share no code with ours."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.peers.process import free_port, running


class Dcmtk:
    """Runs DCMTK's service class users against a port of this machine; a failure is a return code, not an exception."""

    def echoscu(self, port: int, *, calling: str = "ECHOSCU", called: str = "SOFTRAY") -> int:
        return self._run(["echoscu", "-aet", calling, "-aec", called, "127.0.0.1", str(port)])

    def storescu(
        self, port: int, *paths: Path, calling: str = "STORESCU", called: str = "SOFTRAY", options: tuple[str, ...] = ()
    ) -> int:
        files = [str(path) for path in paths]
        return self._run(["storescu", *options, "-aet", calling, "-aec", called, "127.0.0.1", str(port), *files])

    def _run(self, command: list[str]) -> int:
        return subprocess.run(command, check=False, capture_output=True, timeout=120).returncode


@dataclass(frozen=True)
class StoreScp:
    """A running storescp; received files lie in `folder`."""

    ae_title: str
    port: int
    folder: Path


@contextlib.contextmanager
def running_storescp(folder: Path, *options: str) -> Iterator[StoreScp]:
    """DCMTK's receiver with a process per association."""
    received = folder / "received"
    received.mkdir(parents=True)
    peer = StoreScp("STORESCP", free_port(), received)
    command = ["storescp", "--fork", *options, "-aet", peer.ae_title, "-od", str(received), str(peer.port)]
    with running(command, folder / "storescp.log", lambda: Dcmtk().echoscu(peer.port, called=peer.ae_title) == 0):
        yield peer


@pytest.fixture
def dcmtk() -> Dcmtk:
    if shutil.which("storescu") is None:
        pytest.skip("DCMTK (storescu) is not installed")
    return Dcmtk()


@pytest.fixture
def storescp(dcmtk: Dcmtk, tmp_path: Path) -> Iterator[StoreScp]:
    with running_storescp(tmp_path / "storescp") as peer:
        yield peer

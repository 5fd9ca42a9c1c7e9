"""Fixtures that every test may ask for, and what the processes of one run share: nothing.

`make test` runs the suite in several processes (pytest-xdist). Each has its own peers, ports and folders, and computes
with one thread, as do the processes that it starts.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # before anything loads torch
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Private instances of real peers: redis_url, postgres_url, orthanc, dcmtk, storescp.
pytest_plugins = ["tests.peers.redis", "tests.peers.postgres", "tests.peers.orthanc", "tests.peers.dcmtk"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with third-party development data; tests that need it skip, visibly, where it is absent."""
    folder = Path(os.environ.get("SOFTRAY_SHARED", Path(__file__).resolve().parents[1] / ".." / "shared")).resolve()
    if not (folder / "data").is_dir():
        pytest.skip(f"no development data: {folder} is absent (set SOFTRAY_SHARED)")
    return folder

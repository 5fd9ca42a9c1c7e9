"""An installation and a client of its API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.service.api.installation import Installation, install


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    installed = install(tmp_path)
    yield installed
    installed.sessions.kw["bind"].dispose()


@pytest.fixture
def client(installation: Installation) -> TestClient:
    # Unforeseen exceptions become the 500 that a caller would see.
    return TestClient(installation.app(), raise_server_exceptions=False)

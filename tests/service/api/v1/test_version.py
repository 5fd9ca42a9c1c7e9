from __future__ import annotations

import platform
from importlib.metadata import version

from fastapi.testclient import TestClient


def test_the_release_is_the_installed_one(client: TestClient) -> None:
    assert client.get("/api/v1/version").json() == {
        "name": "softray",
        "version": version("softray"),
        "python": platform.python_version(),
    }

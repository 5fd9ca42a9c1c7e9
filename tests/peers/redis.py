"""A private Redis server: `redis_url`, empty for each test."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.peers.process import free_port, running


@contextlib.contextmanager
def running_redis(folder: Path, port: int | None = None) -> Iterator[str]:
    """The URL of a server that keeps nothing on disk."""
    port = port or free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
    url = f"redis://127.0.0.1:{port}/0"
    with running(command, folder / "redis.log", lambda: answers(url)):
        yield url


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if shutil.which("redis-server") is None:
        pytest.skip("Redis (redis-server) is not installed")
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


def answers(url: str) -> bool:
    """Whether it is up."""
    try:
        with redis.Redis.from_url(url, socket_timeout=1) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False

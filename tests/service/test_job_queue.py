from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from service import job_queue
from service.job_queue import GPU_QUEUE, NETWORK_QUEUE, JobQueue, make_celery
from tests.kill_anywhere.tcp_proxy import TcpProxy
from tests.peers.process import free_port, running
from tests.peers.redis import running_redis
from tests.service.registry.factories import at_once

REPOSITORY = Path(__file__).resolve().parents[2]
# The longest that an announcement may hold up a C-STORE, with some room for a busy machine.
AT_MOST_S = 2.0


@pytest.fixture(params=["filesystem", pytest.param("redis", marks=pytest.mark.interop)])
def broker_url(request: pytest.FixtureRequest) -> str:
    return "filesystem://" if request.param == "filesystem" else str(request.getfixturevalue("redis_url"))


@pytest.fixture
def queue(broker_url: str, tmp_path: Path) -> Iterator[JobQueue]:
    with opened(broker_url, tmp_path) as queue:
        yield queue


@contextlib.contextmanager
def opened(broker_url: str, data_dir: Path) -> Iterator[JobQueue]:
    queue = JobQueue(make_celery(broker_url, data_dir))
    yield queue
    queue.close()


@contextlib.contextmanager
def worker(broker_url: str, tmp_path: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process; what it is given it appends to `tmp_path / "seen"`."""
    command = [sys.executable, "-m", "tests.service.solo_worker", broker_url, str(tmp_path), str(tmp_path / "seen")]
    process = subprocess.Popen([*command, *arguments], cwd=REPOSITORY)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=30)


def seen(tmp_path: Path) -> list[str]:
    file = tmp_path / "seen"
    return [line.split(" ", 1)[1] for line in file.read_text().splitlines()] if file.exists() else []


def wait_until(condition: Callable[[], bool], within_s: float = 30) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def seconds_of(action: Callable[[], object]) -> float:
    start = time.monotonic()
    action()
    return time.monotonic() - start


def test_announcements_wait_in_the_queue_of_their_task(queue: JobQueue) -> None:
    queue.announce_inference("job-1")
    queue.announce_inference("job-2")
    queue.announce_delivery(7)
    assert (queue.waiting(GPU_QUEUE), queue.waiting(NETWORK_QUEUE)) == (2, 1)


def test_a_real_worker_gets_every_job_of_its_queue_in_order_and_no_other(
    broker_url: str, queue: JobQueue, tmp_path: Path
) -> None:
    queue.announce_delivery(7)
    queue.announce_inference("before")
    with worker(broker_url, tmp_path, GPU_QUEUE):
        assert wait_until(lambda: seen(tmp_path) == ["'before'"])
        for number in range(5):
            queue.announce_inference(f"job-{number}")
        assert wait_until(lambda: len(seen(tmp_path)) == 6)
    assert seen(tmp_path) == ["'before'", *(f"'job-{number}'" for number in range(5))]
    assert queue.waiting(NETWORK_QUEUE) == 1


def test_two_workers_share_a_queue_without_doing_anything_twice(
    broker_url: str, queue: JobQueue, tmp_path: Path
) -> None:
    with worker(broker_url, tmp_path, NETWORK_QUEUE), worker(broker_url, tmp_path, NETWORK_QUEUE):
        at_once(4, lambda thread: [queue.announce_delivery(thread * 10 + n) for n in range(10)])
        assert wait_until(lambda: len(seen(tmp_path)) >= 40)
    assert Counter(seen(tmp_path)) == Counter(str(number) for number in range(40))


def test_a_worker_told_to_stop_ends_by_itself(broker_url: str, queue: JobQueue, tmp_path: Path) -> None:
    with worker(broker_url, tmp_path, GPU_QUEUE) as process:
        queue.announce_inference("job-1")
        assert wait_until(lambda: len(seen(tmp_path)) == 1)
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_a_killed_worker_holds_back_no_message_but_the_one_it_worked_on(
    broker_url: str, queue: JobQueue, tmp_path: Path
) -> None:
    for number in range(4):
        queue.announce_inference(f"job-{number}")
    with worker(broker_url, tmp_path, GPU_QUEUE, "60") as process:
        assert wait_until(lambda: len(seen(tmp_path)) == 1)
        process.kill()
    with worker(broker_url, tmp_path, GPU_QUEUE):
        # One more may have been fetched ahead; its row is announced again by the sweep.
        assert wait_until(lambda: len(seen(tmp_path)) >= 3)
    assert seen(tmp_path)[0] == "'job-0'"
    assert seen(tmp_path)[-1] == "'job-3'"


def test_the_queue_loads_no_torch_and_no_api() -> None:
    program = "import sys, service.job_queue; print([m for m in ('torch', 'fastapi', 'pydicom') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_only_json_is_read_from_the_broker(tmp_path: Path) -> None:
    conf = make_celery("filesystem://", tmp_path).conf
    assert (conf.accept_content, conf.task_serializer) == (["json"], "json")


def test_without_a_broker_an_announcement_fails_quietly_and_fast(tmp_path: Path) -> None:
    with opened(f"redis://127.0.0.1:{free_port()}/0", tmp_path) as queue:
        assert seconds_of(lambda: queue.announce_inference("job-1")) < AT_MOST_S
        # The next senders do not wait at all.
        assert seconds_of(lambda: [queue.announce_inference(f"job-{n}") for n in range(100)]) < 0.2
        assert queue.waiting(GPU_QUEUE) is None


def test_a_broker_that_takes_connections_but_never_answers_holds_nobody_up(tmp_path: Path) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(50)
        with opened(f"redis://127.0.0.1:{mute.getsockname()[1]}/0", tmp_path) as queue:
            took = at_once(8, lambda n: seconds_of(lambda: queue.announce_inference(f"job-{n}")))
    assert max(took) < AT_MOST_S


@pytest.mark.interop
def test_a_frozen_broker_holds_nobody_up(tmp_path: Path, redis_server: str) -> None:
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    client = redis.Redis(port=port)

    def answers() -> bool:
        with contextlib.suppress(redis.ConnectionError):
            return bool(client.ping())
        return False

    with (
        running(command, tmp_path / "log", answers) as server,
        opened(f"redis://127.0.0.1:{port}/0", tmp_path) as queue,
    ):
        queue.announce_inference("job-1")
        server.send_signal(signal.SIGSTOP)
        assert seconds_of(lambda: queue.announce_inference("job-2")) < AT_MOST_S
        server.send_signal(signal.SIGCONT)


@pytest.mark.interop
def test_announcements_flow_again_once_the_broker_is_back(
    tmp_path: Path, redis_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_queue, "PAUSE_AFTER_FAILURE_S", 0.2)
    port = free_port()
    with opened(f"redis://127.0.0.1:{port}/0", tmp_path) as queue:
        with running_redis(tmp_path, port):
            queue.announce_inference("job-1")
            assert queue.waiting(GPU_QUEUE) == 1
        queue.announce_inference("job-2")
        assert queue.waiting(GPU_QUEUE) is None
        with running_redis(tmp_path, port):
            time.sleep(0.3)

            def announced() -> bool:
                queue.announce_inference("job-3")
                return bool(queue.waiting(GPU_QUEUE))

            assert wait_until(announced, 10)


def test_a_broker_folder_that_cannot_be_written_fails_quietly(tmp_path: Path) -> None:
    with opened("filesystem://", tmp_path) as queue:
        queue.announce_inference("job-1")
        messages = tmp_path / "broker" / "messages"
        for message in messages.iterdir():
            message.unlink()
        messages.rmdir()
        queue.announce_inference("job-2")
        assert queue.waiting(GPU_QUEUE) is None


@pytest.mark.interop
def test_a_worker_whose_connection_is_cut_while_it_works_goes_on_afterwards(tmp_path: Path, redis_url: str) -> None:
    proxy = TcpProxy(int(redis_url.rsplit(":", 1)[1].split("/")[0]))
    url = f"redis://127.0.0.1:{proxy.port}/0"
    with opened(url, tmp_path) as queue, worker(url, tmp_path, GPU_QUEUE, "1"):
        queue.announce_inference("first")
        assert wait_until(lambda: seen(tmp_path) == ["'first'"], 30)
        proxy.refuse(True)
        proxy.cut()
        time.sleep(1.5)  # until the work is over and the worker finds nobody to acknowledge it to
        proxy.refuse(False)

        def next_one_is_done() -> bool:
            queue.announce_inference("second")
            time.sleep(0.5)
            return "'second'" in seen(tmp_path)

        assert wait_until(next_one_is_done, 30)
    proxy.close()

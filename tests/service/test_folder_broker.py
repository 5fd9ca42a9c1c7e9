from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from kombu.entity import Queue

from service.folder_broker import FolderChannel, folder_broker_options, register_folder_broker
from tests.service.registry.factories import at_once

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    register_folder_broker()
    return Connection("filesystem://", transport_options=folder_broker_options(tmp_path, 0.01))


def put(connection: Connection, queue: str, body: str) -> None:
    with connection.clone() as opened:
        simple = opened.SimpleQueue(queue)
        simple.put(body)
        simple.close()


def take_all(connection: Connection, queue: str) -> list[str]:
    bodies: list[str] = []
    with connection.clone() as opened:
        simple = opened.SimpleQueue(queue)
        while True:
            try:
                message = simple.get(block=False)
            except simple.Empty:
                simple.close()
                return bodies
            message.ack()
            bodies.append(message.payload)


def test_messages_come_out_in_the_order_they_went_in(connection: Connection) -> None:
    for number in range(20):
        put(connection, "gpu", str(number))
    assert take_all(connection, "gpu") == [str(number) for number in range(20)]


def test_queues_are_kept_apart(connection: Connection) -> None:
    put(connection, "gpu", "a")
    put(connection, "network", "b")
    assert take_all(connection, "network") == ["b"]
    assert take_all(connection, "gpu") == ["a"]


def test_of_several_consumers_each_message_goes_to_one(connection: Connection) -> None:
    for number in range(100):
        put(connection, "gpu", str(number))
    taken = at_once(4, lambda _: take_all(connection, "gpu"))
    assert sorted(int(body) for bodies in taken for body in bodies) == list(range(100))


def test_a_consumer_finds_what_came_after_others_took_what_it_saw(connection: Connection) -> None:
    for body in ("a", "b", "c"):
        put(connection, "gpu", body)
    slow = connection.SimpleQueue("gpu")
    assert slow.get(block=False).payload == "a"  # and it has seen the other two
    assert take_all(connection, "gpu") == ["b", "c"]
    put(connection, "gpu", "d")
    assert slow.get(block=False).payload == "d"
    slow.close()


def test_a_long_backlog_is_listed_once_and_not_for_each_message(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        put(connection, "gpu", str(number))
    listings = []
    iterate = FolderChannel._messages

    def counted(channel: FolderChannel, queue: str) -> Iterator[Path]:
        listings.append(queue)
        return iterate(channel, queue)

    monkeypatch.setattr(FolderChannel, "_messages", counted)
    assert len(take_all(connection, "gpu")) == 50
    assert len(listings) <= 3


def test_consumers_never_meet_a_half_written_message(connection: Connection) -> None:
    # Large bodies take several writes; a reader that saw a part of one would raise or lose it.
    body = "x" * 200_000

    def write_or_read(number: int) -> int:
        if number < 2:
            for _ in range(20):
                put(connection, "gpu", body)
            return 0
        return sum(len(take_all(connection, "gpu")) for _ in range(30))

    taken = sum(at_once(4, write_or_read)) + len(take_all(connection, "gpu"))
    assert taken == 40


def test_processes_that_bind_their_queues_at_once_all_find_them(connection: Connection, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from kombu import Connection; from kombu.entity import Exchange, Queue\n"
        "from service.folder_broker import *\n"
        "register_folder_broker()\n"
        "with Connection('filesystem://', transport_options=folder_broker_options(Path(sys.argv[1]), 0.01)) as c:\n"
        "    for n in range(20):\n"
        "        Queue(f'{sys.argv[2]}-{n}', Exchange('shared'), routing_key='x')(c.default_channel).declare()"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), str(n)], cwd=REPOSITORY) for n in range(4)
    ]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0, 0]
    with connection as opened:
        assert len(opened.default_channel.get_table("shared")) == 80


def test_an_unreadable_message_is_passed_over(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "messages" / "0_broken.gpu.msg").write_text("{")
    put(connection, "gpu", "good")
    assert take_all(connection, "gpu") == ["good"]
    assert list((tmp_path / "messages").iterdir()) == []


def test_purging_a_queue_leaves_the_others(connection: Connection) -> None:
    put(connection, "gpu", "a")
    put(connection, "network", "b")
    with connection.clone() as opened:
        assert Queue("gpu")(opened.default_channel).purge() == 1
    assert take_all(connection, "gpu") == []
    assert take_all(connection, "network") == ["b"]


def test_messages_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    folder_broker_options(tmp_path / "broker", 0.2)
    assert (tmp_path / "broker" / "messages").stat().st_mode & 0o077 == 0

"""Many associations: at once (the limit holds, nobody else is harmed) and one after another (memory stays flat).

SOFTRAY_FLOOD_ASSOCIATIONS sets how many follow one another (`make flood`: 2,000).
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dicom_node.application_entity import AssociationLimits
from dicom_node.store_scu import Peer, echo
from tests.dicom_node.factories import radiograph
from tests.dicom_node.raw_peer import (
    ASSOCIATE_AC,
    ASSOCIATE_RJ,
    RELEASE_RP,
    RELEASE_RQ,
    STORAGE_ID,
    RawPeer,
    associate_rq,
    c_store_rq,
    p_data,
    pdu,
    pdv,
)
from tests.dicom_node.running_node import Installation, as_received, installation, listening

SEQUENTIAL = int(os.environ.get("SOFTRAY_FLOOD_ASSOCIATIONS", "200"))
SIMULTANEOUS = 200
LOCAL_LIMIT_EXCEEDED = b"\x00\x02\x03\x02"


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as ready:
        ready.add_caller("OTHER")
        yield ready


def test_of_200_simultaneous_associations_the_limit_gets_in_and_the_rest_is_told_to_come_back(
    installed: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = AssociationLimits(max_associations=25, max_associations_per_caller=20)
    with listening(installed, limits) as node:
        threads = threading.active_count()
        start, finish = threading.Barrier(SIMULTANEOUS), threading.Event()

        def flood(_: int) -> str:
            with RawPeer(node.port, timeout_s=30) as peer:
                start.wait()
                peer.send(associate_rq())
                answer = peer.receive()
                if answer == (ASSOCIATE_RJ, LOCAL_LIMIT_EXCEEDED):
                    return "rejected"
                if answer is None or answer[0] != ASSOCIATE_AC:
                    return f"unexpected {answer}"
                finish.wait(60)
                peer.send(pdu(RELEASE_RQ, b"\0" * 4))
                answer = peer.receive()
                return "served" if answer is not None and answer[0] == RELEASE_RP else f"not released {answer}"

        began = time.monotonic()
        with ThreadPoolExecutor(SIMULTANEOUS) as senders:
            asked = [senders.submit(flood, number) for number in range(SIMULTANEOUS)]
            while sum(done.done() for done in asked) < SIMULTANEOUS - 20 and time.monotonic() - began < 60:
                time.sleep(0.02)
            seconds = time.monotonic() - began
            # While one modality holds all the places it may have, another one is served.
            assert echo(Peer("SOFTRAY", "127.0.0.1", node.port), calling_ae_title="OTHER").ok
            finish.set()
            outcomes = Counter(done.result() for done in asked)
        deadline = time.monotonic() + 10
        while node.connections and time.monotonic() < deadline:
            time.sleep(0.02)
        with capsys.disabled():
            print(f"\nflood: {SIMULTANEOUS} at once, answered in {seconds:.2f} s: {dict(outcomes)}")
        assert outcomes == {"served": 20, "rejected": SIMULTANEOUS - 20}
        assert node.slots.taken == 0
        assert not node.connections
        assert threading.active_count() == threads


def resident_kib() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS in /proc/self/status")


def test_memory_stays_flat_over_many_associations(installed: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    instance = as_received(radiograph())
    store = p_data(pdv(STORAGE_ID, 3, c_store_rq(str(instance.sop_instance_uid).encode("ascii"))))
    content = bytes(instance.data_set)
    store += b"".join(
        p_data(pdv(STORAGE_ID, 2 if at + 65536 >= len(content) else 0, content[at : at + 65536]))
        for at in range(0, len(content), 65536)
    )
    memory: list[int] = []
    began = time.monotonic()
    with listening(installed) as node:
        for number in range(SEQUENTIAL):
            with RawPeer(node.port) as peer:
                peer.associate()
                peer.send(store)
                answer = peer.receive()
                assert answer is not None
                peer.send(pdu(RELEASE_RQ, b"\0" * 4))
                assert peer.receive() == (RELEASE_RP, b"\0" * 4)
            if number % 20 == 19:
                gc.collect()
                memory.append(resident_kib())
    seconds = time.monotonic() - began
    after = memory[len(memory) // 4 :]  # the first ones fill caches
    slope = float(np.polyfit(np.arange(len(after)) * 20, after, 1)[0]) * 1024
    with capsys.disabled():
        print(
            f"\nflood: {SEQUENTIAL} associations with an image of {len(content) / 1e6:.1f} MB each in {seconds:.1f} s; "
            f"resident {memory[0] / 1024:.1f} MiB at first, {memory[-1] / 1024:.1f} MiB at last, "
            f"{slope:+.0f} bytes an association"
        )
    assert slope < 4096 * 2000 / SEQUENTIAL
    assert len(installed.instances()) == 1

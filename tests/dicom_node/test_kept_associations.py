"""Associations that stay open for the next result: how many there are, when they end, and what a lost one costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)
from pynetdicom import AE, evt
from pynetdicom.events import Event

from dicom_node.kept_associations import KeptAssociations
from dicom_node.peer import Peer
from dicom_node.status import Outcome
from dicom_node.store_operation import StoreResult
from tests.dicom_node.test_store_scu import instance


@dataclass
class WatchedPacs:
    """A Storage SCP that counts; `before_answer` runs in each C-STORE."""

    before_answer: Callable[[Event], int] = lambda _: 0x0000
    accepted: int = 0
    released: int = 0
    aborted: int = 0
    at_once: int = 0
    stopped: bool = False
    stored: list[str] = field(default_factory=list)
    contexts: list[set[str]] = field(default_factory=list)

    def start(self, port: int = 0) -> Peer:
        entity = AE(ae_title="PACS")
        for sop_class in (DigitalXRayImageStorageForPresentation, ComputedRadiographyImageStorage):
            entity.add_supported_context(sop_class, ExplicitVRLittleEndian)
        handlers: list[evt.EventHandlerType] = [
            (evt.EVT_ACCEPTED, self._on_accepted),
            (evt.EVT_RELEASED, self._on_released),
            (evt.EVT_ABORTED, self._on_aborted),
            (evt.EVT_C_STORE, self._on_store),
        ]
        self.entity = entity
        self.server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
        return Peer("PACS", "127.0.0.1", int(self.server.server_address[1]))

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            self.server.shutdown()
            self.entity.shutdown()

    def _on_accepted(self, event: Event) -> None:
        self.accepted += 1
        self.at_once = max(self.at_once, len(self.entity.active_associations))
        self.contexts.append({str(context.abstract_syntax) for context in event.assoc.accepted_contexts})

    def _on_released(self, event: Event) -> None:
        self.released += 1

    def _on_aborted(self, event: Event) -> None:
        self.aborted += 1

    def _on_store(self, event: Event) -> int:
        status = self.before_answer(event)
        self.stored.append(str(event.request.AffectedSOPInstanceUID))
        return status


@pytest.fixture
def pacs() -> Iterator[WatchedPacs]:
    watched = WatchedPacs()
    yield watched
    watched.stop()


@pytest.fixture
def kept() -> Iterator[KeptAssociations]:
    associations = KeptAssociations(idle_s=20)
    yield associations
    associations.close()


def send(kept: KeptAssociations, path: Path, peer: Peer, timeout_s: float = 5) -> StoreResult:
    return kept.send(path, peer, calling_ae_title="SOFTRAY", timeout_s=timeout_s)


def eventually(condition: Callable[[], bool], within_s: float = 8) -> bool:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_results_that_follow_each_other_share_an_association(
    pacs: WatchedPacs, kept: KeptAssociations, tmp_path: Path
) -> None:
    peer = pacs.start()
    results = [send(kept, instance(tmp_path, number), peer) for number in range(1, 6)]
    assert [result.outcome for result in results] == [Outcome.SENT] * 5
    assert (pacs.accepted, kept.idle) == (1, 1)
    assert pacs.stored == [result.sop_instance_uid for result in results]


def test_an_idle_association_is_released_and_not_aborted(pacs: WatchedPacs, tmp_path: Path) -> None:
    kept = KeptAssociations(idle_s=0.3)
    send(kept, instance(tmp_path), pacs.start())
    assert eventually(lambda: pacs.released == 1)
    assert (pacs.aborted, kept.idle) == (0, 0)
    kept.close()


def test_it_is_released_before_its_silence_would_be_a_timeout(
    pacs: WatchedPacs, kept: KeptAssociations, tmp_path: Path
) -> None:
    send(kept, instance(tmp_path), pacs.start(), timeout_s=1)
    assert eventually(lambda: pacs.released + pacs.aborted == 1)
    assert pacs.aborted == 0


def test_one_that_is_never_idle_ends_all_the_same(pacs: WatchedPacs, tmp_path: Path) -> None:
    kept = KeptAssociations(idle_s=20, longest_s=0.2)
    peer = pacs.start()
    for number in range(1, 60):
        send(kept, instance(tmp_path, number), peer)
        if pacs.accepted == 3:
            break
        time.sleep(0.02)
    kept.close()
    assert pacs.accepted == 3
    assert eventually(lambda: pacs.released == 3)
    assert pacs.aborted == 0


def test_nothing_stays_open_once_it_is_closed(pacs: WatchedPacs, kept: KeptAssociations, tmp_path: Path) -> None:
    peer = pacs.start()
    send(kept, instance(tmp_path, 1), peer)
    kept.close()
    assert eventually(lambda: pacs.released == 1)
    assert send(kept, instance(tmp_path, 2), peer).outcome is Outcome.SENT
    assert eventually(lambda: pacs.released == 2)
    assert (pacs.aborted, kept.idle) == (0, 0)


def test_an_association_that_the_peer_ended_meanwhile_costs_no_attempt(
    pacs: WatchedPacs, kept: KeptAssociations, tmp_path: Path
) -> None:
    peer = pacs.start()
    send(kept, instance(tmp_path, 1), peer)
    for association in pacs.entity.active_associations:
        association.abort()
    assert send(kept, instance(tmp_path, 2), peer).outcome is Outcome.SENT
    assert pacs.accepted == 2


def test_a_peer_that_aborts_in_the_middle_of_a_kept_association_is_asked_once_more(
    pacs: WatchedPacs, kept: KeptAssociations, tmp_path: Path
) -> None:
    peer = pacs.start()
    send(kept, instance(tmp_path, 1), peer)

    def abort_once(event: Event) -> int:
        if pacs.accepted == 1:
            event.assoc.abort()
        return 0x0000

    pacs.before_answer = abort_once
    assert send(kept, instance(tmp_path, 2), peer).outcome is Outcome.SENT
    assert pacs.accepted == 2


def test_a_peer_that_aborts_every_time_is_a_failure_after_one_new_association(
    pacs: WatchedPacs, kept: KeptAssociations, tmp_path: Path
) -> None:
    peer = pacs.start()
    send(kept, instance(tmp_path, 1), peer)

    def abort(event: Event) -> int:
        event.assoc.abort()
        return 0x0000

    pacs.before_answer = abort
    assert send(kept, instance(tmp_path, 2), peer).code == "NO_ANSWER"
    assert (pacs.accepted, kept.idle) == (2, 0)


def test_a_peer_that_does_not_answer_in_time_is_not_asked_again_at_once(
    pacs: WatchedPacs, kept: KeptAssociations, tmp_path: Path
) -> None:
    peer = pacs.start()
    send(kept, instance(tmp_path, 1), peer, timeout_s=1)
    answer = threading.Event()

    def wait(event: Event) -> int:
        answer.wait(20)
        return 0x0000

    pacs.before_answer = wait
    result = send(kept, instance(tmp_path, 2), peer, timeout_s=1)
    answer.set()
    assert (result.outcome, result.code, pacs.accepted) == (Outcome.RETRY, "NO_ANSWER", 1)


def test_a_peer_that_is_gone_is_a_failed_connection(pacs: WatchedPacs, kept: KeptAssociations, tmp_path: Path) -> None:
    peer = pacs.start()
    send(kept, instance(tmp_path, 1), peer)
    pacs.stop()
    assert send(kept, instance(tmp_path, 2), peer, timeout_s=2).code == "CONNECTION_FAILED"
    assert kept.idle == 0


def test_another_kind_of_object_gets_an_association_that_then_serves_both(
    pacs: WatchedPacs, kept: KeptAssociations, tmp_path: Path
) -> None:
    peer = pacs.start()
    kinds: list[dict[str, object]] = [{}, {"SOPClassUID": ComputedRadiographyImageStorage}] * 3
    for number, kind in enumerate(kinds, 1):
        assert send(kept, instance(tmp_path, number, **kind), peer).outcome is Outcome.SENT
    assert pacs.contexts == [
        {DigitalXRayImageStorageForPresentation},
        {DigitalXRayImageStorageForPresentation, ComputedRadiographyImageStorage},
    ]
    assert eventually(lambda: pacs.released == 1)


def test_a_refused_instance_leaves_the_association_to_the_next(
    pacs: WatchedPacs, kept: KeptAssociations, tmp_path: Path
) -> None:
    peer = pacs.start()
    statuses = iter([0xC000, 0x0000])
    pacs.before_answer = lambda _: next(statuses)
    outcomes = [send(kept, instance(tmp_path, number), peer).outcome for number in (1, 2)]
    assert (outcomes, pacs.accepted) == ([Outcome.REFUSED, Outcome.SENT], 1)


def test_no_more_are_open_at_once_than_are_used_at_once(
    pacs: WatchedPacs, kept: KeptAssociations, tmp_path: Path
) -> None:
    peer = pacs.start()
    paths = [instance(tmp_path, number) for number in range(1, 31)]
    with ThreadPoolExecutor(2) as hands:
        results = list(hands.map(lambda path: send(kept, path, peer), paths))
    assert {result.outcome for result in results} == {Outcome.SENT}
    assert pacs.at_once <= 2
    assert sorted(pacs.stored) == sorted(result.sop_instance_uid for result in results)


def test_what_is_no_dicom_file_reaches_nobody(pacs: WatchedPacs, kept: KeptAssociations, tmp_path: Path) -> None:
    text = tmp_path / "note.dcm"
    text.write_text("not DICOM")
    assert send(kept, text, pacs.start()).code == "FILE_UNREADABLE"
    assert pacs.accepted == 0

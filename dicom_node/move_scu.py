"""Having an archive send instances to an AE title it knows: C-MOVE, Study Root (PS3.4 §C.4.2). Nothing is raised."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom import build_context
from pynetdicom.association import Association
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelMove,
)

from dicom_node.conformance import UNCOMPRESSED
from dicom_node.outgoing_association import NoAssociation, outgoing_association
from dicom_node.peer import Peer
from dicom_node.query_status import C_MOVE_STATUSES, PENDING, meaning_in
from dicom_node.status import Outcome

_MESSAGE_ID = 1


@dataclass(frozen=True)
class SubOperations:
    """How the archive's C-STOREs stand; None: it did not say."""

    remaining: int | None = None
    completed: int | None = None
    failed: int | None = None
    warning: int | None = None


@dataclass(frozen=True)
class MoveResult:
    """How a C-MOVE ended, and its last sub-operation counts; `status` None: there was no answer."""

    outcome: Outcome
    status: int | None
    code: str
    detail: str
    sub_operations: SubOperations = SubOperations()


def move(
    peer: Peer,
    identifier: Dataset,
    destination: str,
    *,
    calling_ae_title: str,
    timeout_s: float,
    on_progress: Callable[[SubOperations], None] = lambda _: None,
    cancel: threading.Event | None = None,
) -> MoveResult:
    """Have `peer` send what `identifier` names to `destination`. Setting `cancel` sends a C-CANCEL.

    `timeout_s` bounds the wait for each response: an archive that fetches from tape may take long before the first.
    """
    contexts = [build_context(StudyRootQueryRetrieveInformationModelMove, list(UNCOMPRESSED))]
    with outgoing_association(peer, contexts, calling_ae_title=calling_ae_title, timeout_s=timeout_s) as association:
        if isinstance(association, NoAssociation):
            return MoveResult(association.outcome, None, association.code, association.detail)
        with _cancelling(association, cancel):
            return _move(association, identifier, destination, on_progress)


def _move(
    association: Association, identifier: Dataset, destination: str, on_progress: Callable[[SubOperations], None]
) -> MoveResult:
    last = SubOperations()
    try:
        answers = association.send_c_move(
            identifier, destination, StudyRootQueryRetrieveInformationModelMove, msg_id=_MESSAGE_ID
        )
        for answer, _ in answers:
            status = answer.get("Status")
            if status is None:
                break
            last = _counts(answer, last)
            if status in PENDING:
                on_progress(last)
                continue
            meaning = meaning_in(C_MOVE_STATUSES, status)
            detail = f"0x{status:04X} {meaning.meaning}"
            if meaning.outcome is Outcome.SENT and last.failed:  # says Success and counts failures all the same
                return MoveResult(Outcome.RETRY, status, "SOME_NOT_SENT", f"{last.failed} were not sent", last)
            return MoveResult(meaning.outcome, status, meaning.code, detail, last)
    except Exception as error:  # the connection was lost in between
        return MoveResult(Outcome.RETRY, None, "ASKING_FAILED", f"{type(error).__name__} while asking", last)
    return MoveResult(Outcome.RETRY, None, "NO_ANSWER", "no answer within the timeout, or the peer aborted", last)


def _counts(answer: Dataset, before: SubOperations) -> SubOperations:
    def read(keyword: str, known: int | None) -> int | None:
        value = answer.get(keyword)
        return value if isinstance(value, int) else known

    return SubOperations(
        read("NumberOfRemainingSuboperations", None),
        read("NumberOfCompletedSuboperations", before.completed),
        read("NumberOfFailedSuboperations", before.failed),
        read("NumberOfWarningSuboperations", before.warning),
    )


@contextmanager
def _cancelling(association: Association, cancel: threading.Event | None) -> Iterator[None]:
    # The thread that waits for responses cannot send meanwhile; another one can.
    ended = threading.Event()

    def watch(asked: threading.Event) -> None:
        while not ended.is_set():
            if asked.wait(0.1) and not ended.is_set():
                with suppress(Exception):  # the association ended at the same moment
                    association.send_c_cancel(_MESSAGE_ID, query_model=StudyRootQueryRetrieveInformationModelMove)
                return

    watcher = threading.Thread(target=watch, args=[cancel], daemon=True) if cancel is not None else None
    if watcher is not None:
        watcher.start()
    try:
        yield
    finally:
        ended.set()
        if watcher is not None:
            watcher.join(timeout=1.0)

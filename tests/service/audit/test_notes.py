from __future__ import annotations

import json
import threading
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from service.audit.events import Actor, ActorKind, AuditKind, AuditNote
from service.audit.notes import note, seal_notes
from service.database import transaction
from service.registry import audit_tables as tables
from tests.service.audit.factories import NOW, chain_of

XRAY = Actor(ActorKind.REMOTE_NODE, "XRAY1", "10.0.0.9")
CLASS = "1.2.840.10008.5.1.4.1.1.1.1"


def received(sessions: sessionmaker[Session], study: str, number: int, *, at: float = 0, caller: Actor = XRAY) -> None:
    noted = AuditNote(AuditKind.INSTANCES_RECEIVED, caller, "SOFTRAY", study, CLASS, f"{study}.{number}")
    with transaction(sessions) as session:
        note(session, noted, now=NOW + timedelta(seconds=at))


def seal(sessions: sessionmaker[Session], *, at: float) -> int:
    with transaction(sessions) as session:
        return seal_notes(session, now=NOW + timedelta(seconds=at))


def waiting(sessions: sessionmaker[Session]) -> int:
    with transaction(sessions, read_only=True) as session:
        return session.scalar(select(func.count()).select_from(tables.AuditNote)) or 0


def test_the_instances_of_one_sender_and_one_study_are_one_event(sessions: sessionmaker[Session]) -> None:
    for number in range(3):
        received(sessions, "1.2.1", number)
    received(sessions, "1.2.2", 1)
    received(sessions, "1.2.1", 9, caller=Actor(ActorKind.REMOTE_NODE, "XRAY2", "10.0.0.9"))
    assert seal(sessions, at=31) == 5
    told = {(one.actor, one.study_instance_uid): json.loads(one.content) for one in chain_of(sessions)}
    assert told[("XRAY1", "1.2.1")]["sop_instance_uids"] == ["1.2.1.0", "1.2.1.1", "1.2.1.2"]
    assert told[("XRAY1", "1.2.1")]["count"] == 3
    assert set(told) == {("XRAY1", "1.2.1"), ("XRAY1", "1.2.2"), ("XRAY2", "1.2.1")}
    assert waiting(sessions) == 0
    assert seal(sessions, at=62) == 0


def test_a_study_that_still_arrives_waits_and_one_that_never_ends_is_told_all_the_same(
    sessions: sessionmaker[Session],
) -> None:
    received(sessions, "1.2.1", 1)
    received(sessions, "1.2.1", 2, at=20)
    assert seal(sessions, at=40) == 0
    assert waiting(sessions) == 2
    for number in range(3, 20):
        received(sessions, "1.2.1", number, at=20.0 * number)
    assert seal(sessions, at=390) == 19


def test_many_instances_of_one_study_are_told_in_parts(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        for number in range(450):
            noted = AuditNote(AuditKind.INSTANCES_RECEIVED, XRAY, "SOFTRAY", "1.2", CLASS, f"1.2.{number}")
            note(session, noted, now=NOW)
    assert seal(sessions, at=31) == 450
    assert [json.loads(one.content)["count"] for one in chain_of(sessions)] == [200, 200, 50]


def test_two_processes_that_seal_at_once_tell_every_note_once(sessions: sessionmaker[Session]) -> None:
    for number in range(30):
        received(sessions, f"1.2.{number}", 1)
    told: list[int] = []
    sealers = [threading.Thread(target=lambda: told.append(seal(sessions, at=31))) for _ in range(4)]
    for sealer in sealers:
        sealer.start()
    for sealer in sealers:
        sealer.join()
    assert sum(told) == 30
    assert sorted(str(one.study_instance_uid) for one in chain_of(sessions)) == sorted(f"1.2.{n}" for n in range(30))

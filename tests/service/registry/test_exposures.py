from __future__ import annotations

from datetime import timedelta
from threading import Event
from time import sleep

import pytest
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import exposures, jobs
from service.registry.dead_letters import retry_one
from service.registry.exposures import FOR_PRESENTATION_PREFERRED, FOR_PROCESSING
from service.registry.instances import InstanceFacts, Recorded, Verdict
from service.registry.job_states import JobState
from tests.service.registry.factories import LEASE_S, NOON, at_once, detail, facts, record

FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"
STUDY, EVENT = "2.25.5", "2.25.6"
WAITING = Verdict(sibling_wait_s=15)


def processing(**overrides: str | None) -> InstanceFacts:
    values: dict[str, str | None] = {"irradiation_event_uid": EVENT}
    return facts(study_instance_uid=STUDY, sop_class_uid=FOR_PROCESSING, **(values | overrides))


def presentation(**overrides: str | None) -> InstanceFacts:
    values: dict[str, str | None] = {"irradiation_event_uid": EVENT}
    return facts(study_instance_uid=STUDY, sop_class_uid=FOR_PRESENTATION, **(values | overrides))


def receive(sessions: sessionmaker[Session], instance: InstanceFacts, verdict: Verdict = WAITING) -> Recorded:
    with transaction(sessions) as session:
        return record(session, instance, verdict=verdict)


def test_a_for_processing_image_waits_for_its_sibling(sessions: sessionmaker[Session]) -> None:
    job_id = receive(sessions, processing()).job_id
    assert job_id is not None
    with transaction(sessions) as session:
        assert jobs.claim(session, job_id, owner="gpu", lease_s=LEASE_S, now=NOON + timedelta(seconds=14)) is None
        assert jobs.claim(session, job_id, owner="gpu", lease_s=LEASE_S, now=NOON + timedelta(seconds=15)) is not None


def test_it_withdraws_when_the_sibling_comes(sessions: sessionmaker[Session]) -> None:
    waiting = receive(sessions, processing()).job_id
    assert waiting is not None
    assert receive(sessions, presentation()).job_id is not None
    summary = detail(sessions, waiting).summary
    assert (summary.state, summary.reason_code) == (JobState.REFUSED, FOR_PRESENTATION_PREFERRED)


def test_it_is_left_alone_when_the_sibling_is_there(sessions: sessionmaker[Session]) -> None:
    receive(sessions, presentation())
    late = receive(sessions, processing())
    assert (late.job_id, late.reason_code) == (None, FOR_PRESENTATION_PREFERRED)


def test_a_source_image_sequence_tells_as_well(sessions: sessionmaker[Session]) -> None:
    raw = processing(irradiation_event_uid=None)
    waiting = receive(sessions, raw).job_id
    assert waiting is not None
    receive(sessions, presentation(irradiation_event_uid=None, made_from_uid=raw.sop_instance_uid))
    assert detail(sessions, waiting).summary.state is JobState.REFUSED


def test_of_two_siblings_that_come_at_once_one_is_processed(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(sessions, facts(study_instance_uid=STUDY))  # the study is there
    look = exposures.presentation_sibling
    raw_is_looking = Event()

    def slowly(session: Session, instance: InstanceFacts) -> str | None:
        found = look(session, instance)
        if instance.sop_class_uid == FOR_PROCESSING:
            raw_is_looking.set()
            sleep(0.3)  # long enough for the other to come in, if nothing holds it up
        return found

    monkeypatch.setattr(exposures, "presentation_sibling", slowly)

    def come(number: int) -> str | None:
        if number == 0:
            return receive(sessions, processing()).job_id
        assert raw_is_looking.wait(10)
        return receive(sessions, presentation()).job_id

    raw, presented = at_once(2, come)
    assert presented is not None
    assert raw is not None
    assert detail(sessions, raw).summary.state is JobState.REFUSED


@pytest.mark.parametrize("other", [{"irradiation_event_uid": "2.25.99"}, {"irradiation_event_uid": None}])
def test_another_exposure_is_another_image(sessions: sessionmaker[Session], other: dict[str, str | None]) -> None:
    waiting = receive(sessions, processing()).job_id
    assert waiting is not None
    receive(sessions, presentation(**other))
    assert detail(sessions, waiting).summary.state is JobState.QUEUED


def test_a_sibling_that_is_not_processed_does_not_count(sessions: sessionmaker[Session]) -> None:
    receive(sessions, presentation(), Verdict("VIEW_NOT_FRONTAL", "lateral"))
    assert receive(sessions, processing()).job_id is not None


def test_what_a_worker_has_begun_is_finished(sessions: sessionmaker[Session]) -> None:
    begun = receive(sessions, processing(), Verdict()).job_id
    assert begun is not None
    with transaction(sessions) as session:
        assert jobs.claim(session, begun, owner="gpu", lease_s=LEASE_S, now=NOON) is not None
    receive(sessions, presentation())
    assert detail(sessions, begun).summary.state is JobState.RUNNING


def claim(sessions: sessionmaker[Session], job_id: str) -> jobs.Claim:
    with transaction(sessions) as session:
        held = jobs.claim(session, job_id, owner="gpu", lease_s=LEASE_S, now=NOON)
    assert held is not None
    return held


def end(sessions: sessionmaker[Session], job_id: str, how: str) -> list[str]:
    """Nothing comes of the image of `job_id`; what gets its turn instead."""
    held = claim(sessions, job_id)
    with transaction(sessions) as session:
        ending = jobs.refuse if how == "refused" else jobs.fail
        assert ending(session, held, code="NOT_FRONTAL", detail="found a lateral view", now=NOON)
        return exposures.reinstate_siblings(session, job_id, now=NOON)


@pytest.mark.parametrize("how", ["refused", "failed"])
def test_one_that_was_withdrawn_gets_its_turn_when_nothing_comes_of_the_other(
    sessions: sessionmaker[Session], how: str
) -> None:
    withdrawn, presented = receive(sessions, processing()).job_id, receive(sessions, presentation()).job_id
    assert withdrawn is not None
    assert presented is not None
    assert end(sessions, presented, how) == [withdrawn]
    found = detail(sessions, withdrawn)
    assert (found.summary.state, found.summary.reason_code) == (JobState.QUEUED, None)
    assert found.events[-1].event == "reinstated"
    claim(sessions, withdrawn)


@pytest.mark.parametrize("how", ["refused", "failed"])
def test_one_that_came_late_gets_its_turn_as_well(sessions: sessionmaker[Session], how: str) -> None:
    presented = receive(sessions, presentation()).job_id
    assert presented is not None
    assert receive(sessions, processing()).job_id is None
    [late] = end(sessions, presented, how)
    assert detail(sessions, late).summary.state is JobState.QUEUED
    claim(sessions, late)


@pytest.mark.parametrize("how", ["refused", "failed"])
def test_one_that_comes_after_that_is_processed(sessions: sessionmaker[Session], how: str) -> None:
    presented = receive(sessions, presentation()).job_id
    assert presented is not None
    assert end(sessions, presented, how) == []
    assert receive(sessions, processing()).job_id is not None


def test_it_stays_withdrawn_while_another_of_its_exposure_can_be_processed(sessions: sessionmaker[Session]) -> None:
    withdrawn = receive(sessions, processing()).job_id
    first, second = (receive(sessions, presentation()).job_id for _ in range(2))
    assert first is not None
    assert second is not None
    assert end(sessions, first, "refused") == []
    assert end(sessions, second, "failed") == [withdrawn]


def test_an_end_and_an_arrival_at_once_leave_no_image_behind(sessions: sessionmaker[Session]) -> None:
    for _ in range(5):
        event_uid = facts().sop_instance_uid
        presented = receive(sessions, presentation(irradiation_event_uid=event_uid)).job_id
        assert presented is not None
        raw = processing(irradiation_event_uid=event_uid)

        def act(number: int, presented: str = presented, raw: InstanceFacts = raw) -> list[str]:
            if number == 0:
                return end(sessions, presented, "failed")
            arrived = receive(sessions, raw).job_id
            return [arrived] if arrived else []

        assert len([job_id for made in at_once(2, act) for job_id in made]) == 1


def test_one_that_is_retried_takes_its_turn_back_from_the_other(sessions: sessionmaker[Session]) -> None:
    withdrawn, presented = receive(sessions, processing()).job_id, receive(sessions, presentation()).job_id
    assert withdrawn is not None
    assert presented is not None
    assert end(sessions, presented, "failed") == [withdrawn]
    with transaction(sessions) as session:
        assert retry_one(session, presented, now=NOON) is JobState.QUEUED
    summary = detail(sessions, withdrawn).summary
    assert (summary.state, summary.reason_code) == (JobState.REFUSED, FOR_PRESENTATION_PREFERRED)
    assert end(sessions, presented, "failed") == [withdrawn]

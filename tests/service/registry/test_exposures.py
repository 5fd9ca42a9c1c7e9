from __future__ import annotations

from datetime import timedelta
from threading import Event
from time import sleep

import pytest
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry import exposures, jobs
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

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from service.audit.chain import NO_SHA256, ChainedEvent, _chained
from service.audit.dicom_message import FORMS, AuditSource, to_xml
from service.audit.events import Actor, ActorKind, AuditEvent, AuditKind, Outcome
from tests.service.audit.factories import NOW, one_of_each_kind

SCHEMA = etree.RelaxNG(etree.parse(Path(__file__).parent / "audit_message.rng"))
SOURCE = AuditSource("softray@radiology-1", "SOFTRAY")


def chained(event: AuditEvent) -> ChainedEvent:
    return _chained(event, 1, NO_SHA256, NOW)


def message(event: AuditEvent) -> etree._Element:
    xml = to_xml(chained(event), SOURCE)
    assert xml.isascii()
    assert "\n" not in xml
    root = etree.fromstring(xml)
    SCHEMA.assertValid(root)
    return root


@pytest.mark.parametrize("event", one_of_each_kind(), ids=lambda event: f"{event.kind}-{event.actor.kind}")
def test_every_kind_of_event_is_a_valid_message(event: AuditEvent) -> None:
    message(event)


@given(words=st.text(max_size=40), kind=st.sampled_from(list(AuditKind)), actor_kind=st.sampled_from(list(ActorKind)))
def test_no_text_of_a_peer_makes_an_invalid_message(words: str, kind: AuditKind, actor_kind: ActorKind) -> None:
    message(AuditEvent(kind, Actor(actor_kind, words, words), subject=words, reason_code=words or None, detail=words))


def test_every_kind_has_a_form() -> None:
    assert set(FORMS) == set(AuditKind)


def test_a_reception_names_source_destination_study_and_instances() -> None:
    (event,) = (one for one in one_of_each_kind() if one.kind is AuditKind.INSTANCES_RECEIVED and one.count == 2)
    root = message(event)
    assert root.find("EventIdentification/EventID").get("csd-code") == "110104"
    assert root.find("EventIdentification").get("EventActionCode") == "C"
    sender, receiver = root.findall("ActiveParticipant")
    assert (sender.get("UserID"), sender.get("NetworkAccessPointID")) == ("XRAY1", "10.0.0.9")
    assert sender.find("RoleIDCode").get("csd-code") == "110153"
    assert receiver.get("AlternativeUserID") == "AETITLES=SOFTRAY"
    study, patient = root.findall("ParticipantObjectIdentification")
    assert study.get("ParticipantObjectID") == "1.2.3"
    assert [one.get("UID") for one in study.iter("Instance")] == ["1.2.3.4", "1.2.3.5"]
    # The registry does not know the patient; the message says so instead of leaving the object out.
    assert patient.get("ParticipantObjectID") == "withheld"


def test_a_failed_login_has_an_outcome_and_a_place() -> None:
    event = AuditEvent(AuditKind.LOGIN, Actor(ActorKind.ANONYMOUS, "", "::1"), Outcome.FAILURE, reason_code="X")
    root = message(event)
    assert root.find("EventIdentification").get("EventOutcomeIndicator") == "4"
    assert root.find("ActiveParticipant").get("NetworkAccessPointTypeCode") == "2"
    assert root.find("ActiveParticipant").get("UserID") == "anonymous"

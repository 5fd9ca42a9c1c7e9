from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from service.registry.audit_tables import AuditCursor, AuditHead
from service.registry.tables import RemoteNode
from tests.service.api.installation import Installation

STUDY = "2.25.7"


def samples(client: TestClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def labelled(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_jobs_refusals_and_deliveries_are_counted(client: TestClient, installation: Installation) -> None:
    installation.add_destination("pacs")
    sent = installation.receive(STUDY)
    installation.derive(sent)
    installation.deliver(sent)
    installation.receive(STUDY)
    installation.receive(STUDY, reason_code="VIEW_NOT_FRONTAL", reason_detail="found 'LL'")
    installation.reject()
    found = samples(client)
    assert found[labelled("softray_jobs", purpose="SUPPRESS", state="DELIVERED")] == 1
    assert found[labelled("softray_jobs", purpose="SUPPRESS", state="QUEUED")] == 1
    assert found[labelled("softray_images_not_processed", reason="VIEW_NOT_FRONTAL")] == 1
    assert sum(value for (name, _), value in found.items() if name == "softray_objects_rejected") == 1
    assert found[labelled("softray_deliveries", node="pacs", state="SENT")] == 1
    assert found[labelled("softray_node_failures_in_a_row", node="pacs")] == 0


def test_what_waits_has_an_age_and_the_marks_stand_beside_the_disk(
    client: TestClient, installation: Installation
) -> None:
    installation.add_destination("pacs")
    installation.receive(STUDY)  # in January, says the clock of the installation
    found = samples(client)
    assert found[labelled("softray_oldest_queued_seconds", priority="ROUTINE")] > 86_400
    assert found[labelled("softray_oldest_queued_seconds", priority="STAT")] == 0
    assert found[labelled("softray_node_pause_seconds", node="pacs")] == 0
    assert found[labelled("softray_disk_min_free_bytes")] == 0
    assert found[labelled("softray_disk_mark_percent", mark="high")] == 100


def test_a_node_that_is_left_alone_says_how_long(client: TestClient, installation: Installation) -> None:
    installation.add_destination("pacs")
    until = datetime.now(UTC) + timedelta(minutes=5)
    installation.write(lambda session: session.execute(update(RemoteNode).values(paused_until=until)))
    assert 200 < samples(client)[labelled("softray_node_pause_seconds", node="pacs")] <= 300


def test_what_the_audit_repository_was_not_told_is_counted(client: TestClient, installation: Installation) -> None:
    def two_behind(session: Session) -> None:
        session.execute(update(AuditHead).values(seq=7))
        session.execute(insert(AuditCursor).values(receiver="syslog", seq=5, fencing_token=0))

    installation.write(two_behind)
    assert samples(client)[labelled("softray_audit_events_unsent", receiver="syslog")] == 2


def test_no_study_or_instance_is_in_the_metrics(client: TestClient, installation: Installation) -> None:
    installation.receive(STUDY)
    assert STUDY not in client.get("/metrics").text

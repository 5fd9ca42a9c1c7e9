from __future__ import annotations

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

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


def test_no_study_or_instance_is_in_the_metrics(client: TestClient, installation: Installation) -> None:
    installation.receive(STUDY)
    assert STUDY not in client.get("/metrics").text

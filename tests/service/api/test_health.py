from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient
from sqlalchemy import text

from service.database import make_engine, make_session_factory
from service.registry.admission_marks import record_mark
from service.registry.upkeep_tasks import claim_task, pass_ended
from service.space import DiskMarks
from tests.service.api.installation import Installation
from tests.service.registry.factories import NOON


def test_alive_even_when_nothing_else_is(installation: Installation) -> None:
    installation.sessions = make_session_factory(make_engine("postgresql://nobody@127.0.0.1:1/none"))
    client = TestClient(installation.app())
    assert client.get("/health/live").json() == {"status": "alive"}


def test_ready_names_what_was_checked(client: TestClient) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "checks": ["registry", "disk", "queue", "broker", "workers"]},
    )


def test_not_ready_when_the_broker_is_away(client: TestClient, installation: Installation) -> None:
    installation.queue.reachable = False
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "NOT_READY")
    assert [detail["subject"] for detail in answer.json()["details"]] == ["broker"]


def test_not_ready_when_the_disk_is_below_the_watermark(client: TestClient, installation: Installation) -> None:
    installation.store.space.marks = DiskMarks(1 << 62)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    (detail,) = answer.json()["details"]
    assert detail["subject"] == "disk"
    assert str(1 << 62) in detail["message"]


def test_not_ready_when_the_database_does_not_answer_and_its_password_stays_unsaid(installation: Installation) -> None:
    installation.sessions = make_session_factory(make_engine("postgresql://softray:geheim@127.0.0.1:1/none"))
    client = TestClient(installation.app(), raise_server_exceptions=False)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert [detail["subject"] for detail in answer.json()["details"]] == ["registry"]
    assert "geheim" not in answer.text
    studies = client.get("/api/v1/studies")
    assert (studies.status_code, studies.json()["code"]) == (503, "REGISTRY_UNAVAILABLE")
    assert "geheim" not in studies.text


def test_not_ready_when_the_tables_are_missing(client: TestClient, installation: Installation) -> None:
    installation.write(lambda session: session.execute(text("ALTER TABLE jobs RENAME TO lost")))
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert [detail["subject"] for detail in answer.json()["details"]] == ["registry"]


def test_every_reason_is_given_at_once(client: TestClient, installation: Installation) -> None:
    installation.queue.reachable = False
    installation.store.space.marks = DiskMarks(1 << 62)
    assert client.get("/health/ready").json()["message"] == "not ready: disk, broker"


def test_between_the_marks_readiness_says_what_the_nodes_do(client: TestClient, installation: Installation) -> None:
    usage = installation.store.space.usage()
    installation.store.space.marks = DiskMarks(0, high_percent=100.0, low_percent=usage.used_percent / 2)
    assert client.get("/health/ready").status_code == 200
    refuse(installation, "disk")
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert [detail["subject"] for detail in answer.json()["details"]] == ["disk"]
    installation.store.space.marks = DiskMarks(0)  # below the low mark: a node that is gone said the other
    assert client.get("/health/ready").status_code == 200


def test_a_full_queue_is_not_ready_and_says_since_when(client: TestClient, installation: Installation) -> None:
    refuse(installation, "queue")
    [detail] = client.get("/health/ready").json()["details"]
    assert detail["subject"] == "queue"
    assert "since 2026-01-31 12:00:00 UTC" in detail["message"]
    metrics = client.get("/metrics").text
    assert 'softray_refusing{mark="queue"} 1.0' in metrics
    assert 'softray_refusing{mark="disk"} 0.0' in metrics
    assert "softray_disk_free_bytes" in metrics


def test_the_names_that_kubernetes_asks_for_answer_the_same(client: TestClient, installation: Installation) -> None:
    assert client.get("/healthz").json() == client.get("/health/live").json() == {"status": "alive"}
    assert client.get("/readyz").json() == client.get("/health/ready").json()
    installation.queue.reachable = False
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_not_ready_when_no_network_worker_was_seen_lately(client: TestClient, installation: Installation) -> None:
    seen(installation, datetime.now(UTC) - timedelta(hours=1))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert [detail["subject"] for detail in answer.json()["details"]] == ["workers"]
    seen(installation, datetime.now(UTC))
    assert client.get("/readyz").status_code == 200


def seen(installation: Installation, at: datetime) -> None:
    """A network worker went on with a walk of the upkeep at `at`."""
    with installation.sessions.begin() as session:
        claim = claim_task(session, "orphans", owner="network-1", lease_s=60, now=at)
        assert claim is not None
        assert pass_ended(session, claim, None, now=at)


def refuse(installation: Installation, mark: str) -> None:
    with installation.sessions.begin() as session:
        record_mark(session, mark, refusing=True, code="FULL", detail="found 10 jobs", now=NOON)

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from service.registry import queries
from service.registry.job_states import JobState
from service.registry.tables import Job
from service.routing import RouteSection, Routing
from tests.service.api.installation import PREVIEW_NAMES, Installation, striped_pictures


def test_jobs_are_listed_newest_first_with_counts_of_all_states(client: TestClient, installation: Installation) -> None:
    first, second = installation.receive("1.2.1"), installation.receive("1.2.2")
    installation.fail(first)
    body = client.get("/api/v1/jobs").json()
    assert [item["job_id"] for item in body["items"]] == [second, first]
    assert {state: count for state, count in body["counts"].items() if count} == {"QUEUED": 1, "FAILED": 1}
    assert set(body["counts"]) == set(JobState)


def test_the_list_can_be_narrowed_to_one_state_and_paged(client: TestClient, installation: Installation) -> None:
    failed = [installation.receive(f"1.2.{number}") for number in range(3)]
    installation.receive("1.2.9")
    for job_id in failed:
        installation.fail(job_id)
    page = client.get("/api/v1/jobs", params={"state": "FAILED", "limit": 2}).json()
    rest = client.get("/api/v1/jobs", params={"state": "FAILED", "limit": 2, "cursor": page["next_cursor"]}).json()
    assert [item["job_id"] for item in page["items"] + rest["items"]] == failed[::-1]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "cursor",
    [
        "-1",
        "{}",
        "W10",
        "🙂",
        "../../etc/passwd",
        "WyJhIixudWxsXQ",  # of a list without times
        "WzEsIjIwMjYtMDEtMzFUMTI6MDA6MDArMDA6MDAiXQ",  # a number in place of the job
        "WyJhIiwiMjAyNi0wMS0zMVQxMjowMDowMCJd",  # no time zone
        "WyJcdTAwMDAiLCIyMDI2LTAxLTMxVDEyOjAwOjAwKzAwOjAwIl0",  # NUL, which PostgreSQL has not
    ],
)
def test_a_cursor_of_nobody_is_422(client: TestClient, cursor: str) -> None:
    answer = client.get("/api/v1/jobs", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["details"][0]["subject"] == "query.cursor"


def test_a_page_goes_on_where_the_last_one_ended_whatever_arrives_in_between(
    client: TestClient, installation: Installation
) -> None:
    old = [installation.receive(f"1.2.{number}") for number in range(4)]
    first = client.get("/api/v1/jobs", params={"limit": 2}).json()
    installation.receive("1.2.9")
    rest = client.get("/api/v1/jobs", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [item["job_id"] for item in first["items"] + rest["items"]] == old[::-1]


def test_jobs_are_found_by_what_an_administrator_knows(client: TestClient, installation: Installation) -> None:
    one, other = installation.receive("1.2.1"), installation.receive("1.2.2")
    created = client.get(f"/api/v1/jobs/{one}").json()["created_at"]

    def found(**wanted: str) -> list[str]:
        return [item["job_id"] for item in client.get("/api/v1/jobs", params=wanted).json()["items"]]

    assert found(study_instance_uid="1.2.1") == [one]
    assert found(series_instance_uid="1.2.2.1") == [other]
    assert found(sop_instance_uid="1.2.1.1.1") == [one]
    assert found(calling_ae_title="XRAY1", priority="ROUTINE") == [other, one]
    assert found(calling_ae_title="XRAY2") == found(priority="STAT") == found(model_sha256="0" * 64) == []
    assert found(since=created, until="9999-12-31T23:59:59") == [other, one]
    assert found(until=created) == found(since="2999-01-01") == []


@pytest.mark.parametrize(
    "query",
    [
        {"state": "LOST"},
        {"limit": 0},
        {"limit": 501},
        {"limit": "many"},
        {"cursor": "x" * 301},
        {"since": "yesterday"},
        {"until": "-124027"},
        {"study_instance_uid": "1.2' OR 1=1 --"},
        {"model_sha256": "weights"},
    ],
)
def test_a_wrong_parameter_is_422_and_named(client: TestClient, query: dict[str, str | int]) -> None:
    answer = client.get("/api/v1/jobs", params=query)
    assert answer.status_code == 422
    assert answer.json()["details"][0]["subject"] == f"query.{next(iter(query))}"


def test_a_running_job_shows_its_progress(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.1")
    installation.run(job_id, step=3, total_steps=20)
    job = client.get(f"/api/v1/jobs/{job_id}").json()
    assert (job["state"], job["step"], job["total_steps"], job["retryable"]) == ("RUNNING", 3, 20, False)


def test_a_delivered_job_tells_its_whole_story(client: TestClient, installation: Installation) -> None:
    installation.add_destination("PACS")
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    installation.deliver(job_id)
    job = client.get(f"/api/v1/jobs/{job_id}").json()
    assert job["state"] == "DELIVERED"
    assert [event["to_state"] for event in job["events"] if event["to_state"]] == [
        "QUEUED",
        "RUNNING",
        "DERIVED",
        "DELIVERED",
    ]
    assert [event["at"] for event in job["events"]] == sorted(event["at"] for event in job["events"])
    (delivery,) = job["deliveries"]
    assert (delivery["remote_node"], delivery["state"], delivery["dimse_status"]) == ("PACS", "SENT", 0)
    assert job["model_name"] == "residual-unet"
    assert job["previews"] == list(PREVIEW_NAMES)


def test_a_job_does_not_tell_where_its_files_lie(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    text = client.get(f"/api/v1/jobs/{job_id}").text
    assert ".dcm" not in text
    assert ".png" not in text


def test_retry_of_a_failed_inference_queues_it_and_announces_it(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.1")
    installation.fail(job_id)
    answer = client.post(f"/api/v1/jobs/{job_id}/retry")
    assert (answer.status_code, answer.json()) == (202, {"job_id": job_id, "state": "QUEUED"})
    assert installation.state(job_id) is JobState.QUEUED
    assert installation.queue.inferences == [job_id]


def test_retry_of_a_failed_delivery_sends_the_stored_result_again(
    client: TestClient, installation: Installation
) -> None:
    installation.add_destination("PACS")
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    installation.deliver(job_id, status=0xC000)
    assert client.get(f"/api/v1/jobs/{job_id}").json()["deliveries"][0]["dimse_status"] == 0xC000
    assert client.post(f"/api/v1/jobs/{job_id}/retry").json()["state"] == "DERIVED"
    detail = installation.read(lambda session: queries.job_detail(session, job_id))
    assert detail is not None
    assert installation.queue.deliveries == [row.delivery_id for row in detail.deliveries]
    assert installation.queue.inferences == []


def test_a_retry_sends_nothing_to_a_node_that_no_route_names(installation: Installation) -> None:
    installation.routing = Routing((RouteSection(to=("PACS",)),))
    installation.add_destination("PACS")
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    installation.deliver(job_id, status=0xC000)
    installation.add_destination("RESEARCH")
    assert TestClient(installation.app()).post(f"/api/v1/jobs/{job_id}/retry").status_code == 202
    detail = installation.read(lambda session: queries.job_detail(session, job_id))
    assert detail is not None
    assert [row.remote_node for row in detail.deliveries] == ["PACS"]


def test_a_retry_is_accepted_while_the_broker_is_away(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.1")
    installation.fail(job_id)
    installation.queue.reachable = False
    assert client.post(f"/api/v1/jobs/{job_id}/retry").status_code == 202
    assert installation.state(job_id) is JobState.QUEUED


def test_a_job_that_has_not_failed_cannot_be_retried_and_the_answer_says_so(
    client: TestClient, installation: Installation
) -> None:
    job_id = installation.receive("1.2.1")
    answer = client.post(f"/api/v1/jobs/{job_id}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "JOB_NOT_FAILED")
    assert "QUEUED" in answer.json()["message"]
    assert installation.queue.inferences == []


def test_a_misspelt_filter_is_not_taken_for_none(client: TestClient) -> None:
    answer = client.get("/api/v1/jobs", params={"stat": "FAILED"})
    assert answer.status_code == 422
    [detail] = answer.json()["details"]
    assert "model_sha256, priority, reason" in detail["message"]
    assert client.post("/api/v1/jobs/x/retry", params={"now": "1"}).json()["details"][0]["message"] == "expected none"


def test_a_body_of_other_bytes_is_422(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"\xff\xfe\x00", b"{", b"[]"):
        answer = client.post("/api/v1/jobs/retry", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


def test_an_unknown_job_is_404_everywhere(client: TestClient) -> None:
    answers = [
        client.get("/api/v1/jobs/x"),
        client.post("/api/v1/jobs/x/retry"),
        client.get("/api/v1/jobs/x/previews/bone.png"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "JOB_UNKNOWN")] * 3


def test_another_sites_page_cannot_press_retry(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.1")
    installation.fail(job_id)
    answer = client.post(f"/api/v1/jobs/{job_id}/retry", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["code"]) == (403, "CROSS_SITE_REQUEST")
    assert installation.state(job_id) is JobState.FAILED


@pytest.mark.parametrize("name", PREVIEW_NAMES)
def test_each_picture_is_the_stored_one_and_is_not_cached(
    client: TestClient, installation: Installation, name: str
) -> None:
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    answer = client.get(f"/api/v1/jobs/{job_id}/previews/{name}.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == striped_pictures()[name]


def test_a_picture_that_is_not_there_yet_is_404_and_an_unknown_name_422(
    client: TestClient, installation: Installation
) -> None:
    job_id = installation.receive("1.2.1")
    missing, unknown = (client.get(f"/api/v1/jobs/{job_id}/previews/{name}.png") for name in ("bone", "heart"))
    assert (missing.status_code, missing.json()["code"]) == (404, "NO_PREVIEW")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "INVALID_REQUEST")


def test_an_altered_picture_is_not_shown(client: TestClient, installation: Installation, tmp_path: Path) -> None:
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    for file in (tmp_path / "instances" / "preview").rglob("*.png"):
        file.write_bytes(b"another patient's picture")
    answer = client.get(f"/api/v1/jobs/{job_id}/previews/source.png")
    assert (answer.status_code, answer.json()["code"]) == (500, "STORED_FILE_ALTERED")


def test_a_preview_that_retention_removed_is_gone_and_says_since_when(
    client: TestClient, installation: Installation
) -> None:
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    with installation.sessions.begin() as session:
        session.execute(update(Job).values(previews_removed_at=datetime(2026, 3, 1, 4, 5, tzinfo=UTC)))
    answer = client.get(f"/api/v1/jobs/{job_id}/previews/bone.png")
    assert (answer.status_code, answer.json()["code"]) == (410, "PREVIEW_REMOVED")
    assert "2026-03-01 04:05" in answer.json()["message"]


def test_many_failed_jobs_start_again_by_reason_and_the_answer_counts(
    client: TestClient, installation: Installation
) -> None:
    installation.add_destination("PACS")
    undelivered = installation.receive("1.2.1")
    installation.derive(undelivered)
    installation.deliver(undelivered, status=0xC000)
    other = installation.receive("1.2.2")
    installation.fail(other)
    [listed] = client.get("/api/v1/jobs?state=FAILED&reason=DELIVERY_FAILED").json()["items"]
    assert listed["job_id"] == undelivered
    answer = client.post("/api/v1/jobs/retry", json={"node": "PACS"})
    assert (answer.status_code, answer.json()) == (202, {"retried": 1, "refused": {}, "left": 0})
    assert installation.state(other) is JobState.FAILED
    assert client.post("/api/v1/jobs/retry", json={}).json()["retried"] == 1
    assert installation.queue.inferences == [other]
    assert client.post("/api/v1/jobs/retry", json={"limit": 501}).status_code == 422


def test_a_job_is_cancelled_once_and_can_be_retried(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.1")
    answer = client.post(f"/api/v1/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["sent"]) == (200, [])
    assert installation.state(job_id) is JobState.CANCELLED
    again = client.post(f"/api/v1/jobs/{job_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "JOB_ENDED")
    assert client.get(f"/api/v1/jobs/{job_id}").json()["retryable"]
    assert client.post(f"/api/v1/jobs/{job_id}/retry").json()["state"] == "QUEUED"


def test_a_job_gets_another_priority(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.1")
    answer = client.post(f"/api/v1/jobs/{job_id}/priority", json={"priority": "STAT"})
    assert answer.json() == {"job_id": job_id, "priority": "STAT", "before": "ROUTINE"}
    assert client.get(f"/api/v1/jobs/{job_id}").json()["priority"] == "STAT"
    assert client.post(f"/api/v1/jobs/{job_id}/priority", json={"priority": "URGENT"}).status_code == 422
    assert 'softray_jobs_queued{priority="STAT"} 1.0' in client.get("/metrics").text

from __future__ import annotations

from fastapi.testclient import TestClient

from service.api.schemas import StudyState
from service.registry.job_states import JobState
from tests.service.api.installation import Installation


def test_a_new_installation_has_no_studies(client: TestClient) -> None:
    assert client.get("/api/v1/studies").json() == {"items": [], "next_cursor": None}


def test_the_study_that_received_an_image_last_comes_first(client: TestClient, installation: Installation) -> None:
    for study in ("1.2.1", "1.2.2", "1.2.1"):
        installation.receive(study)
    items = client.get("/api/v1/studies").json()["items"]
    assert [(item["study_instance_uid"], item["instance_count"]) for item in items] == [("1.2.1", 2), ("1.2.2", 1)]


def test_the_list_comes_in_pages_that_end(client: TestClient, installation: Installation) -> None:
    for number in range(5):
        installation.receive(f"1.2.{number}")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/api/v1/studies", params={"limit": 2, "cursor": cursor}).json()
        seen += [item["study_instance_uid"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [f"1.2.{number}" for number in reversed(range(5))]


def test_a_study_with_a_failed_image_is_failed_and_says_why(client: TestClient, installation: Installation) -> None:
    installation.receive("1.2.3")
    installation.fail(installation.receive("1.2.3"))
    (study,) = client.get("/api/v1/studies").json()["items"]
    assert study["state"] == "FAILED"
    assert study["reason_code"] == "PIXELS_UNDECODABLE"
    assert study["reason_detail"] == "the codestream ends early"
    assert study["jobs_by_state"] == {"QUEUED": 1, "FAILED": 1}


def test_a_study_of_a_lateral_view_is_not_processed_and_says_why(
    client: TestClient, installation: Installation
) -> None:
    installation.receive("1.2.3", reason_code="NOT_FRONTAL", reason_detail="View Position is LL")
    (study,) = client.get("/api/v1/studies").json()["items"]
    assert (study["state"], study["reason_code"]) == ("NOT_PROCESSED", "NOT_FRONTAL")


def test_one_study_shows_each_image_with_its_job_or_the_reason(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.3")
    installation.receive("1.2.3", reason_code="NOT_FRONTAL", reason_detail="View Position is LL")
    study = client.get("/api/v1/studies/1.2.3").json()
    assert study["instance_count"] == 2
    frontal, lateral = study["instances"]
    assert frontal["job"]["job_id"] == job_id
    assert lateral["job"] is None
    assert lateral["reason_code"] == "NOT_FRONTAL"


def test_an_unknown_study_is_404_and_a_malformed_uid_422(client: TestClient) -> None:
    unknown, malformed = client.get("/api/v1/studies/1.2.3"), client.get("/api/v1/studies/one.two")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "STUDY_UNKNOWN")
    assert (malformed.status_code, malformed.json()["code"]) == (422, "INVALID_REQUEST")
    assert malformed.json()["details"][0]["subject"] == "path.study_instance_uid"
    assert "one.two" not in malformed.text


def test_every_job_state_is_a_study_state_and_the_one_that_needs_attention_wins() -> None:
    assert {state.value for state in JobState} | {"NOT_PROCESSED"} == {state.value for state in StudyState}
    assert StudyState.of({JobState.DELIVERED: 3, JobState.RUNNING: 1, JobState.FAILED: 1}) is StudyState.FAILED
    assert StudyState.of({JobState.DELIVERED: 3, JobState.RUNNING: 1}) is StudyState.RUNNING
    assert StudyState.of({JobState.DELIVERED: 3}) is StudyState.DELIVERED
    assert StudyState.of({JobState.FAILED: 0}) is StudyState.NOT_PROCESSED

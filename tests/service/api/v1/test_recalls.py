"""Recalls over HTTP: by people with the right ADMINISTER, approved by another one than the one who proposed."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from service.access import users
from service.access.roles import Role
from service.audit.records import read_events
from tests.service.api.installation import STARTED, Installation
from tests.service.api.test_access_gate import PASSWORD, csrf_of, token

WANTED = {"source": "XRAY1", "reason": "QUALITY", "words": "Ribs left in place."}


@pytest.fixture
def admins(installation: Installation) -> tuple[TestClient, TestClient]:
    """Two administrators in their browsers."""
    app = installation.app(login_required=True)
    return _logged_in(app, installation, "anna"), _logged_in(app, installation, "bert")


def _logged_in(app: object, installation: Installation, name: str) -> TestClient:
    installation.write(
        lambda session: users.add_user(
            session, name=name, role=Role.ADMIN, images=False, password=PASSWORD, now=STARTED
        )
    )
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)  # type: ignore[arg-type]
    assert client.post("/login", data={"name": name, "password": PASSWORD}).status_code == 303
    client.headers["X-CSRF-Token"] = csrf_of(client)
    return client


def test_one_proposes_and_another_approves(admins: tuple[TestClient, TestClient], installation: Installation) -> None:
    anna, bert = admins
    installation.add_destination()
    jobs = [installation.receive(study) for study in ("1.2.1", "1.2.1", "1.2.2")]
    for job_id in jobs:
        installation.derive(job_id)
    installation.deliver(jobs[0])
    first = anna.get("/api/v1/recalls/plan", params={"source": "XRAY1", "limit": 2}).json()
    assert (first["jobs"], first["studies"]) == (3, 2)
    assert first["nodes"] == [{"node": "PACS", "removed": False, "there": 1, "waiting": 2}]
    rest = anna.get(
        "/api/v1/recalls/plan", params={"source": "XRAY1", "limit": 2, "cursor": first["next_cursor"]}
    ).json()
    assert [row["job_id"] for row in first["items"] + rest["items"]] == jobs[::-1]

    answer = anna.post("/api/v1/recalls", json=WANTED)
    assert answer.status_code == 201, answer.text
    recall = answer.json()
    assert (recall["state"], recall["proposed_by"], recall["jobs_by_state"]) == ("PROPOSED", "anna", {"LISTED": 3})
    path = f"/api/v1/recalls/{recall['recall_id']}"
    refused = anna.post(f"{path}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "RECALL_SAME_PERSON")
    approved = bert.post(f"{path}/approve").json()
    assert (approved["state"], approved["approved_by"]) == ("APPROVED", "bert")
    late = anna.post(f"{path}/withdraw")
    assert (late.status_code, late.json()["code"]) == (409, "RECALL_NOT_PROPOSED")
    listed = bert.get(f"{path}/jobs", params={"state": "LISTED"}).json()
    assert sorted(row["job_id"] for row in listed["items"]) == sorted(jobs)
    assert [row["recall_id"] for row in bert.get("/api/v1/recalls").json()["items"]] == [recall["recall_id"]]
    told = installation.read(
        lambda session: [(e.kind, e.actor) for e in read_events(session) if e.subject == recall["recall_id"]]
    )
    assert told == [("RECALL_PROPOSED", "anna"), ("RECALL_APPROVED", "bert")]


def test_a_proposal_can_be_taken_back(admins: tuple[TestClient, TestClient], installation: Installation) -> None:
    anna, bert = admins
    installation.derive(installation.receive("1.2.1"))
    recall_id = anna.post("/api/v1/recalls", json=WANTED).json()["recall_id"]
    assert bert.post(f"/api/v1/recalls/{recall_id}/withdraw").json()["state"] == "WITHDRAWN"
    assert anna.post("/api/v1/recalls", json=WANTED).status_code == 201


def test_no_program_and_nobody_in_particular_recalls(installation: Installation) -> None:
    installation.derive(installation.receive("1.2.1"))
    program = TestClient(installation.app(login_required=True), headers=token(installation, Role.ADMIN))
    nobody = TestClient(installation.app())
    for client in (program, nobody):
        answer = client.post("/api/v1/recalls", json=WANTED)
        assert (answer.status_code, answer.json()["code"]) == (409, "RECALL_NEEDS_A_PERSON")
    assert nobody.get("/api/v1/recalls").json()["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"source": "NOBODY"}, 409, "RECALL_FINDS_NOTHING"),
        ({"source": None}, 422, "RECALL_NO_CRITERION"),
        ({"words": ""}, 422, "INVALID_REQUEST"),
        ({"model_sha256": "short"}, 422, "INVALID_REQUEST"),
        ({"reason": "WHATEVER"}, 422, "INVALID_REQUEST"),
    ],
)
def test_what_cannot_be_recalled_is_said(
    admins: tuple[TestClient, TestClient], body: dict[str, object], status: int, code: str
) -> None:
    answer = admins[0].post("/api/v1/recalls", json=WANTED | body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)

"""DICOM objects over HTTP: the bytes that lie in the store, for those who may see them, and a note of each look."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from service.access.roles import Role
from service.registry.audit_tables import AuditNote
from service.registry.tables import Instance, Result
from tests.service.api.installation import Installation
from tests.service.api.test_access_gate import token


def address(job_id: str, sop_instance_uid: str) -> str:
    return f"/api/v1/jobs/{job_id}/dicom/{sop_instance_uid}"


def derived(installation: Installation) -> tuple[str, str]:
    """A job with its result, and the result's SOP Instance UID."""
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    with installation.sessions() as session:
        return job_id, session.scalars(select(Result.sop_instance_uid)).one()


def test_the_source_is_the_file_that_was_kept_with_its_digest(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.1")
    answer = client.get(address(job_id, "1.2.1.1.1"))
    assert answer.status_code == 200
    assert answer.content == b"image 1"
    assert answer.headers["content-type"] == "application/dicom"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == 'attachment; filename="1.2.1.1.1.dcm"'
    digest = base64.b64encode(hashlib.sha256(b"image 1").digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"


def test_a_result_is_what_its_digest_in_the_job_says(client: TestClient, installation: Installation) -> None:
    job_id, uid = derived(installation)
    [result] = client.get(f"/api/v1/jobs/{job_id}").json()["results"]
    assert result["sop_instance_uid"] == uid
    assert hashlib.sha256(client.get(address(job_id, uid)).content).hexdigest() == result["sha256"]


def test_the_object_of_another_job_is_not_found_under_this_one(client: TestClient, installation: Installation) -> None:
    first, second = installation.receive("1.2.1"), installation.receive("1.2.2")
    answers = [client.get(address(first, "1.2.2.1.2")), client.get(address("none", "1.2.2.1.2"))]
    assert [answer.json()["code"] for answer in answers] == ["OBJECT_UNKNOWN", "JOB_UNKNOWN"]
    assert {answer.status_code for answer in answers} == {404}
    assert client.get(address(second, "1.2.2.1.2")).content == b"image 2"


@pytest.mark.parametrize("table", [Instance, Result])
def test_a_file_that_retention_removed_is_gone_and_says_since_when(
    client: TestClient, installation: Installation, table: type[Instance] | type[Result]
) -> None:
    job_id, result = derived(installation)
    with installation.sessions.begin() as session:
        session.execute(update(table).values(file_removed_at=datetime(2026, 3, 1, 4, 5, tzinfo=UTC)))
    removed, kept = (result, "1.2.1.1.1") if table is Result else ("1.2.1.1.1", result)
    answer = client.get(address(job_id, removed))
    assert (answer.status_code, answer.json()["code"]) == (410, "FILE_REMOVED")
    assert "2026-03-01 04:05" in answer.json()["message"]
    assert client.get(address(job_id, kept)).status_code == 200


def test_an_altered_file_is_not_handed_out(client: TestClient, installation: Installation, tmp_path: Path) -> None:
    job_id = installation.receive("1.2.1")
    with installation.sessions() as session:
        path = session.scalars(select(Instance.path)).one()
    file = tmp_path / "instances" / path
    file.chmod(0o600)
    file.write_bytes(b"another patient's image")
    answer = client.get(address(job_id, "1.2.1.1.1"))
    assert (answer.status_code, answer.json()["code"]) == (500, "STORED_FILE_ALTERED")
    assert b"another patient" not in answer.content


def test_it_needs_the_right_to_see_images_and_the_look_is_noted(installation: Installation) -> None:
    client = TestClient(installation.app(login_required=True))
    job_id = installation.receive("1.2.1")
    blind, seeing = token(installation, Role.VIEWER), token(installation, Role.VIEWER, images=True)
    assert client.get(address(job_id, "1.2.1.1.1")).status_code == 401
    refused = client.get(address(job_id, "1.2.1.1.1"), headers=blind)
    assert (refused.status_code, refused.json()["code"]) == (403, "RIGHT_MISSING")
    assert client.get(address(job_id, "1.2.1.1.1"), headers=seeing).status_code == 200
    (noted,) = installation.read(lambda session: session.scalars(select(AuditNote)).all())
    assert (noted.kind, noted.sop_instance_uid) == ("INSTANCES_ACCESSED", "1.2.1.1.1")

from __future__ import annotations

from datetime import UTC, datetime

from fastapi.testclient import TestClient
from sqlalchemy import update

from service.registry.tables import Instance, Result
from tests.service.api.installation import Installation


def test_the_files_come_as_they_were_kept(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    [result] = client.get(f"/api/v1/jobs/{job_id}").json()["results"]
    source = client.get(f"/api/v1/jobs/{job_id}/source.dcm")
    derived = client.get(f"/api/v1/jobs/{job_id}/results/{result['sop_instance_uid']}.dcm")
    assert (source.content, derived.content) == (b"image 1", b"derived " + job_id.encode())
    for answer, uid in ((source, "1.2.1.1.1"), (derived, result["sop_instance_uid"])):
        assert answer.headers["content-type"] == "application/dicom"
        assert answer.headers["content-disposition"] == f'attachment; filename="{uid}.dcm"'
        again = client.get(answer.request.url, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert client.get(answer.request.url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_what_is_not_there_is_said_to_be_unknown_or_removed(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    [result] = client.get(f"/api/v1/jobs/{job_id}").json()["results"]
    source, derived = f"/api/v1/jobs/{job_id}/source.dcm", f"/api/v1/jobs/{job_id}/results/{{}}.dcm"
    unknown = [client.get("/api/v1/jobs/x/source.dcm"), client.get(derived.format("1.2.3"))]
    assert [(answer.status_code, answer.json()["code"]) for answer in unknown] == [
        (404, "JOB_UNKNOWN"),
        (404, "RESULT_UNKNOWN"),
    ]
    for path in ("../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "1.2'--"):
        assert client.get(derived.format(path)).status_code in {404, 422}
    for table in (Instance, Result):
        removed = update(table).values(file_removed_at=datetime(2026, 2, 1, tzinfo=UTC))
        installation.write(lambda session, removed=removed: session.execute(removed))
    gone = [client.get(source), client.get(derived.format(result["sop_instance_uid"]))]
    assert [(answer.status_code, answer.json()["code"]) for answer in gone] == [(410, "FILE_REMOVED")] * 2


def test_an_altered_file_is_not_given_out(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.1")
    [stored] = (installation.store.root / "source").rglob("*.dcm")
    stored.chmod(0o644)
    stored.write_bytes(b"other")
    answer = client.get(f"/api/v1/jobs/{job_id}/source.dcm")
    assert (answer.status_code, answer.json()["code"]) == (500, "STORED_FILE_ALTERED")
    assert b"other" not in answer.content

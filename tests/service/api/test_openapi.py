from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from service.api.problems import PROBLEM_MEDIA_TYPE
from tests.service.api.installation import Installation
from tests.service.api.schema_check import Schema, resolve, violations


@pytest.fixture
def document(client: TestClient) -> Schema:
    return client.get("/openapi.json").json()


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def test_the_endpoints_are_these(document: Schema) -> None:
    assert {(method, path) for method, path, _ in operations(document)} == {
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/studies"),
        ("GET", "/api/v1/studies/{study_instance_uid}"),
        ("GET", "/api/v1/jobs"),
        ("GET", "/api/v1/jobs/{job_id}"),
        ("GET", "/api/v1/jobs/{job_id}/receipt"),
        ("POST", "/api/v1/jobs/retry"),
        ("POST", "/api/v1/jobs/{job_id}/retry"),
        ("POST", "/api/v1/jobs/{job_id}/cancel"),
        ("POST", "/api/v1/jobs/{job_id}/priority"),
        ("GET", "/api/v1/jobs/{job_id}/previews/{name}.png"),
        ("GET", "/api/v1/jobs/{job_id}/source.dcm"),
        ("GET", "/api/v1/jobs/{job_id}/results/{sop_instance_uid}.dcm"),
        ("GET", "/api/v1/jobs/{job_id}/pixels/{layer}"),
        ("GET", "/api/v1/rejections"),
        ("GET", "/api/v1/not-processed"),
        ("GET", "/api/v1/remote-nodes"),
        ("GET", "/api/v1/version"),
        ("GET", "/api/v1/me"),
        ("GET", "/api/v1/recalls"),
        ("POST", "/api/v1/recalls"),
        ("GET", "/api/v1/recalls/plan"),
        ("GET", "/api/v1/recalls/{recall_id}"),
        ("GET", "/api/v1/recalls/{recall_id}/jobs"),
        ("POST", "/api/v1/recalls/{recall_id}/approve"),
        ("POST", "/api/v1/recalls/{recall_id}/withdraw"),
        ("GET", "/api/v1/jobs/{job_id}/scores"),
        ("PUT", "/api/v1/jobs/{job_id}/scores"),
        ("GET", "/api/v1/scores"),
        ("GET", "/api/v1/scores.csv"),
        ("GET", "/api/v1/my-reader-studies"),
        ("GET", "/api/v1/reader-studies"),
        ("POST", "/api/v1/reader-studies"),
        ("GET", "/api/v1/reader-studies/{study_id}"),
        ("PUT", "/api/v1/reader-studies/{study_id}/truth"),
        ("POST", "/api/v1/reader-studies/{study_id}/close"),
        ("GET", "/api/v1/reader-studies/{study_id}/report"),
        ("GET", "/api/v1/reader-studies/{study_id}/report.csv"),
        ("GET", "/api/v1/reader-studies/{study_id}/marks.csv"),
        ("POST", "/api/v1/reader-studies/{study_id}/next"),
        ("GET", "/api/v1/readings/{reading_id}/pictures/{picture}.png"),
        ("POST", "/api/v1/readings/{reading_id}/finish"),
    }


def test_every_operation_has_summary_description_and_one_described_tag(document: Schema) -> None:
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    lacking = [
        (method, path)
        for method, path, operation in operations(document)
        if not operation.get("summary") or not operation.get("description") or set(operation["tags"]) - described
    ]
    assert lacking == []
    assert all(len(operation["tags"]) == 1 for _, _, operation in operations(document))


def test_every_response_has_a_description_and_a_schema(document: Schema) -> None:
    for method, path, operation in operations(document):
        for status, response in operation["responses"].items():
            assert response["description"], (method, path, status)
            if status == "304":  # has none
                continue
            assert response["content"], (method, path, status)
            assert all(content["schema"] for content in response["content"].values()), (method, path, status)


def test_every_error_is_a_problem_and_every_operation_may_fail(document: Schema) -> None:
    for method, path, operation in operations(document):
        errors = {status: response for status, response in operation["responses"].items() if status >= "400"}
        assert "500" in errors, (method, path)
        for response in errors.values():
            assert response["content"] == {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_every_parameter_is_described(document: Schema) -> None:
    parameters = [
        (path, parameter["name"], parameter.get("description"))
        for _, path, operation in operations(document)
        for parameter in operation.get("parameters", [])
    ]
    assert parameters
    assert [entry for entry in parameters if not entry[2]] == []


def test_every_schema_is_described_and_used(document: Schema) -> None:
    schemas = document["components"]["schemas"]
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []
    referenced = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert set(schemas) == referenced
    assert all(resolve(f"#/components/schemas/{name}", document) for name in referenced)


BODIES: dict[str, dict[str, object]] = {
    "/api/v1/recalls": {"source": "XRAY1", "reason": "QUALITY", "words": "Ribs left in place."},
    "/api/v1/jobs/retry": {"reason": "OUT_OF_MEMORY"},
    "/api/v1/jobs/{job_id}/priority": {"priority": "STAT"},
    "/api/v1/jobs/{job_id}/scores": {"lung_vessels": 3, "airways": 2, "bone_suppression": 1},
    "/api/v1/reader-studies/{study_id}/truth": {"text": "sop_instance_uid\n1.2.3\n"},
    "/api/v1/readings/{reading_id}/finish": {"marks": [], "active_ms": 1},
}


def test_real_answers_are_what_the_schema_says(
    client: TestClient, installation: Installation, document: Schema
) -> None:
    jobs = populate(installation)
    results = "/api/v1/jobs/{job_id}/results/{sop_instance_uid}.dcm"
    requests = [
        ("GET", "/health/live", {}),
        ("GET", "/health/ready", {}),
        ("GET", "/healthz", {}),
        ("GET", "/readyz", {}),
        ("GET", "/metrics", {}),
        ("GET", "/api/v1/studies", {}),
        *(
            ("GET", "/api/v1/studies/{study_instance_uid}", {"study_instance_uid": uid})
            for uid in ("1.2.1", "1.2.9", "1.2", "x")
        ),
        ("GET", "/api/v1/jobs", {}),
        *(("GET", "/api/v1/jobs/{job_id}", {"job_id": job_id}) for job_id in [*jobs.values(), "x"]),
        *(("GET", "/api/v1/jobs/{job_id}/receipt", {"job_id": job_id}) for job_id in [*jobs.values(), "x"]),
        *(
            ("POST", f"/api/v1/jobs/{{job_id}}/{order}", {"job_id": job_id})
            for order in ("priority", "retry", "cancel")
            for job_id in [*jobs.values(), "x"]
        ),
        *(("GET", "/api/v1/jobs/{job_id}/source.dcm", {"job_id": job_id}) for job_id in (jobs["DELIVERED"], "x")),
        *(
            ("GET", results, {"job_id": jobs["DELIVERED"], "sop_instance_uid": uid})
            for uid in (f"2.25.{abs(hash(jobs['DELIVERED']))}", "1.2")
        ),
        ("POST", "/api/v1/jobs/retry", {}),
        *(
            ("GET", "/api/v1/jobs/{job_id}/previews/{name}.png", {"job_id": jobs["DELIVERED"], "name": name})
            for name in ("bone", "heart")
        ),
        ("GET", "/api/v1/jobs/{job_id}/pixels/{layer}", {"job_id": jobs["DELIVERED"], "layer": "spread"}),
        ("GET", "/api/v1/rejections", {}),
        ("GET", "/api/v1/not-processed", {}),
        ("GET", "/api/v1/remote-nodes", {}),
        ("GET", "/api/v1/version", {}),
        ("GET", "/api/v1/me", {}),
        ("GET", "/api/v1/recalls", {}),
        ("POST", "/api/v1/recalls", {}),
        ("GET", "/api/v1/recalls/plan", {}),
        *(("GET", f"/api/v1/recalls/{{recall_id}}{part}", {"recall_id": "x"}) for part in ("", "/jobs")),
        *(("POST", f"/api/v1/recalls/{{recall_id}}/{order}", {"recall_id": "x"}) for order in ("approve", "withdraw")),
        *((method, "/api/v1/jobs/{job_id}/scores", {"job_id": jobs["DELIVERED"]}) for method in ("GET", "PUT", "GET")),
        ("GET", "/api/v1/scores", {}),
        ("GET", "/api/v1/scores.csv", {}),
        ("GET", "/api/v1/my-reader-studies", {}),
        ("GET", "/api/v1/reader-studies", {}),
        ("POST", "/api/v1/reader-studies", {}),
        *(
            (method, f"/api/v1/reader-studies/{{study_id}}{rest}", {"study_id": "1"})
            for method, rest in (("GET", ""), ("PUT", "/truth"), ("POST", "/close"), ("POST", "/next"))
        ),
        *(
            ("GET", f"/api/v1/reader-studies/{{study_id}}/{rest}", {"study_id": "1"})
            for rest in ("report", "report.csv", "marks.csv")
        ),
        ("GET", "/api/v1/readings/{reading_id}/pictures/{picture}.png", {"reading_id": "1", "picture": "original"}),
        ("POST", "/api/v1/readings/{reading_id}/finish", {"reading_id": "1"}),
    ]
    assert {(method, path) for method, path, _ in requests} == {entry[:2] for entry in operations(document)}
    statuses = set()
    for method, path, values in requests:
        body = BODIES.get(path)
        answer = client.request(method, path.format(**values), json=body)
        declared = document["paths"][path][method.lower()]["responses"]
        assert str(answer.status_code) in declared, (method, path, answer.status_code)
        statuses.add(answer.status_code)
        media_type = answer.headers["content-type"].split(";")[0]
        schema = declared[str(answer.status_code)]["content"][media_type]["schema"]
        if media_type == "application/json":
            assert list(violations(answer.json(), schema, document)) == [], (method, path)
    assert statuses == {200, 202, 404, 409, 422}


def test_a_problem_outside_every_route_has_the_same_body(client: TestClient, document: Schema) -> None:
    problem = document["components"]["schemas"]["Problem"]
    for answer, code in (
        (client.get("/nowhere"), "NO_SUCH_ADDRESS"),
        (client.delete("/api/v1/studies"), "METHOD_NOT_ALLOWED"),
    ):
        assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
        assert list(violations(answer.json(), problem, document)) == []
        assert answer.json()["code"] == code


def populate(installation: Installation) -> dict[str, str]:
    """A job in every state, and everything else that has a list; returns job ids by state."""
    installation.add_destination("PACS")
    found = {state: installation.receive(f"1.2.{number}") for number, state in enumerate(STATES, start=1)}
    installation.run(found["RUNNING"], step=3, total_steps=20)
    installation.derive(found["DERIVED"])
    installation.derive(found["DELIVERED"])
    installation.deliver(found["DELIVERED"])
    installation.fail(found["FAILED"])
    installation.derive(found["UNDELIVERED"])
    installation.deliver(found["UNDELIVERED"], status=0xA900)
    installation.receive("1.2.9", reason_code="NOT_FRONTAL", reason_detail="View Position is LL")
    installation.reject()
    return found


UIDS = ("1.2.1", "1.2.9", "1.2", "not a UID")
STATES = ("QUEUED", "RUNNING", "DERIVED", "DELIVERED", "FAILED", "UNDELIVERED")

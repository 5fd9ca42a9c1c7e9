from __future__ import annotations

import logging

import pytest
from fastapi.testclient import TestClient

from service.errors import PermanentError, StoreFullError
from service.registry import queries
from tests.service.api.installation import Installation


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StoreFullError("STORE_FULL", "no room"), 503, "STORE_FULL"),
        (PermanentError("STORED_FILE_MISSING", "no file"), 500, "STORED_FILE_MISSING"),
        (ZeroDivisionError("Doe^Jane"), 500, "INTERNAL_ERROR"),
    ],
)
def test_whatever_leaves_a_route_becomes_a_problem(
    installation: Installation, error: Exception, status: int, code: str
) -> None:
    app = installation.app()

    @app.get("/broken")
    def broken() -> None:
        raise error

    answer = TestClient(app, raise_server_exceptions=False).get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "Doe" not in answer.text


def test_the_log_of_an_unforeseen_failure_names_the_route_and_not_what_was_typed(
    installation: Installation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(job_id: str) -> bool:
        raise ValueError(job_id)

    monkeypatch.setattr(queries, "job_detail", lambda _session, job_id: broken(job_id))
    with caplog.at_level(logging.ERROR, logger="service.api.problems"):
        TestClient(installation.app(), raise_server_exceptions=False).get("/api/v1/jobs/Doe-Jane")
    (record,) = [record for record in caplog.records if record.name == "service.api.problems"]
    assert record.fields == {"path": "/api/v1/jobs/{job_id}", "error": "ValueError"}


def test_every_answer_forbids_framing_and_foreign_scripts(client: TestClient) -> None:
    for path in ("/", "/api/v1/studies", "/nowhere", "/static/softray.js"):
        headers = client.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert "script-src 'self'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff", path

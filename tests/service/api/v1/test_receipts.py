"""The receipt of a job, as the API shows it."""

from __future__ import annotations

from dataclasses import replace

from fastapi.testclient import TestClient

from service.registry.receipt_facts import ReceiptFacts
from service.registry.receipts import record_receipt
from tests.service.api.installation import STARTED, Installation

FACTS = ReceiptFacts(
    source_sha256="11" * 32,
    model_name="residual-unet",
    model_version="1",
    model_sha256="ab" * 32,
    architecture="residual-unet",
    preset="fast",
    sampler="one-pass",
    steps=1,
    seed=7,
    seeds=1,
    parameters="",
    precision="float32",
    device="cpu",
    service_version="0.1.0",
    libraries="python 3.11.7, torch 2.5.1+cpu",
    inference_s=1.25,
    storing_s=0.5,
)


def keep(installation: Installation, job_id: str, facts: ReceiptFacts) -> None:
    with installation.sessions.begin() as session:
        record_receipt(session, job_id, facts, now=STARTED)


def test_a_receipt_is_shown_with_every_library_by_name(client: TestClient, installation: Installation) -> None:
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    keep(installation, job_id, FACTS)
    answer = client.get(f"/api/v1/jobs/{job_id}/receipt")
    assert answer.status_code == 200
    body = answer.json()
    assert body["libraries"] == {"python": "3.11.7", "torch": "2.5.1+cpu"}
    assert (body["source_sha256"], body["model_sha256"], body["seed"]) == ("11" * 32, "ab" * 32, 7)
    assert body["inference_s"] == 1.25


def test_a_later_run_leaves_its_receipt_in_the_place_of_the_former(
    client: TestClient, installation: Installation
) -> None:
    job_id = installation.receive("1.2.1")
    for device in ("cpu", "cuda (H100)"):
        keep(installation, job_id, replace(FACTS, device=device))
    assert client.get(f"/api/v1/jobs/{job_id}/receipt").json()["device"] == "cuda (H100)"


def test_a_job_that_has_made_nothing_has_no_receipt_and_says_why(
    client: TestClient, installation: Installation
) -> None:
    job_id = installation.receive("1.2.1")
    answer = client.get(f"/api/v1/jobs/{job_id}/receipt")
    assert (answer.status_code, answer.json()["code"]) == (404, "RECEIPT_UNKNOWN")
    assert "QUEUED" in answer.json()["message"]
    assert client.get("/api/v1/jobs/none/receipt").json()["code"] == "JOB_UNKNOWN"

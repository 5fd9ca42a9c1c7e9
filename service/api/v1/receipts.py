"""The replay receipt of a job: all that decided the pixels of its results."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from service.api.dependencies import ReadSession
from service.api.problems import ProblemError, problems
from service.api.schemas import Answer
from service.api.v1.job_orders import JobId
from service.api.v1.jobs import found_job
from service.registry.receipts import ReceiptRow, find_receipt

router = APIRouter(prefix="/jobs", tags=["jobs"])


class Receipt(Answer):
    """What a job's results were made of and with."""

    job_id: str
    created_at: datetime
    source_sha256: str = Field(description="Of the stored source file.")
    model_name: str
    model_version: str
    model_sha256: str = Field(description="Of the weights with their configuration.")
    architecture: str
    preset: str
    sampler: str
    steps: int = Field(description="Network evaluations per image.")
    seed: int
    seeds: int = Field(description="How many, from `seed` on, the result is the mean of.")
    parameters: str = Field(description='Whatever else matters, as "name=value".')
    precision: str = Field(examples=["float32"])
    device: str = Field(examples=["cpu"])
    service_version: str
    libraries: dict[str, str] = Field(
        description="Versions of what reads, computes and writes pixels.", examples=[{"torch": "2.5.1"}]
    )
    inference_s: float = Field(description="Seconds from the source's data set to the derived ones.")
    storing_s: float = Field(description="Seconds it took to store them, with the pictures for the screen.")

    @classmethod
    def of(cls, row: ReceiptRow) -> Receipt:
        """From the registry's row."""
        return cls.model_validate(
            {
                **vars(row.facts),
                "libraries": row.facts.library_versions(),
                "job_id": row.job_id,
                "created_at": row.created_at,
            }
        )


@router.get(
    "/{job_id}/receipt", summary="What the results of a job were made of", responses=problems(404, 422, 500, 503)
)
def read_receipt(session: ReadSession, job_id: JobId) -> Receipt:
    """The receipt by which `softray replay` computes the result again and compares it.

    404 RECEIPT_UNKNOWN: the job has made no image yet, is a notice, or was made by a release that wrote no receipts.
    """
    row = find_receipt(session, job_id)
    if row is None:
        job = found_job(session, job_id)
        raise ProblemError(
            404, "RECEIPT_UNKNOWN", f"job {job_id} ({job.purpose}) is {job.state} and has no receipt of an image"
        )
    return Receipt.of(row)

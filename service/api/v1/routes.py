"""The routers of `/api/v1`, together."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from service.api.known_parameters import require_known_parameters
from service.api.v1 import (
    files,
    job_orders,
    jobs,
    me,
    pixels,
    reader_studies,
    readings,
    recalls,
    receipts,
    rejections,
    remote_nodes,
    scores,
    studies,
    version,
)

PREFIX = "/api/v1"
NOUNS = (
    studies,
    jobs,
    job_orders,
    files,
    pixels,
    receipts,
    recalls,
    scores,
    reader_studies,
    readings,
    rejections,
    remote_nodes,
    version,
    me,
)


def v1_router() -> APIRouter:
    """All of version 1 under its prefix."""
    router = APIRouter(prefix=PREFIX, dependencies=[Depends(require_known_parameters)])
    for noun in NOUNS:
        router.include_router(noun.router)
    return router

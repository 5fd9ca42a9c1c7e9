"""The routers of `/api/v1`, together."""

from __future__ import annotations

from fastapi import APIRouter

from service.api.v1 import job_orders, jobs, me, recalls, receipts, rejections, remote_nodes, studies, version

PREFIX = "/api/v1"


def v1_router() -> APIRouter:
    """All of version 1 under its prefix."""
    router = APIRouter(prefix=PREFIX)
    for noun in (studies, jobs, job_orders, receipts, recalls, rejections, remote_nodes, version, me):
        router.include_router(noun.router)
    return router

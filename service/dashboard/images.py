"""The page of one image: the viewer, where it stands, and everything that happened to it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.api.dependencies import ReadSession
from service.api.problems import ProblemError
from service.api.v1.jobs import found_job
from service.dashboard.pages import NOT_KEPT, templates
from service.registry.image_files import result_file, source_file
from service.registry.result_kinds import ResultKind

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/pages/images/{job_id}")
def image(request: Request, session: ReadSession, job_id: str) -> HTMLResponse:
    """One image with its viewer; the addresses of its pixels are named for those images that are still kept."""
    try:
        job = found_job(session, job_id)
    except ProblemError as error:
        context = {"page": "", "message": error.problem.message}
        return templates.TemplateResponse(request, "missing.html", context, status_code=error.problem.status)
    files = {
        "source": source_file(session, job_id),
        "soft-tissue": result_file(session, job_id, ResultKind.SOFT_TISSUE),
        "spread": result_file(session, job_id, ResultKind.SPREAD),
    }
    kept = {
        name: f"/api/v1/jobs/{job_id}/pixels/{name}" for name, file in files.items() if file and not file.removed_at
    }
    shown = {"page": "", "job": job, "pixels": kept}
    return templates.TemplateResponse(request, "image.html", shown, headers=NOT_KEPT)

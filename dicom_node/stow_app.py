"""STOW-RS (PS3.18 §10.5) as a second door into the intake: its addresses, and what each request is answered.

`POST /studies` and `POST /studies/{study}` take multipart/related bodies of DICOM files and answer in DICOM JSON or
XML; `GET /` says what is taken. Everything else is answered with a Problem, like the admin API's errors.
"""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from dicom_node.association_slots import AssociationSlots
from dicom_node.conformance import ACCEPTED_SOP_CLASSES
from dicom_node.errors import MultipartError
from dicom_node.intake import Intake
from dicom_node.native_dicom_model import native_xml
from dicom_node.stow_admission import (
    DICOM_JSON,
    DICOM_XML,
    StowTerms,
    accepts_json,
    announced_bytes,
    caller_of,
    parser_of,
    require_permitted,
    take_place,
)
from dicom_node.stow_request import SENDER_LEFT, SENDER_SILENT, discard, receive_body, record_malformed
from dicom_node.transfer_syntaxes import decodable_transfer_syntaxes
from service.api.problems import PROBLEM_MEDIA_TYPE, Problem, ProblemError, add_problem_handlers
from service.errors import TransientError
from service.logs import log_event

logger = logging.getLogger(__name__)

RETRY_AFTER_S = "30"
_RECORDED = frozenset({400, 413, 415})  # the others say nothing about what was to be sent
_HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": RETRY_AFTER_S},
    503: {"Retry-After": RETRY_AFTER_S},
}
_CLOSE = {"Connection": "close"}  # what may still come of a body is heard by nobody, and holds no connection
_TOO_LARGE = frozenset({"BODY_TOO_LARGE", "TOO_MANY_PARTS"})


def create_stow_app(intake: Intake, terms: StowTerms) -> FastAPI:
    """The application; safe to serve from one event loop only."""
    app = FastAPI(title="softray STOW-RS", docs_url=None, redoc_url=None, openapi_url=None)
    add_problem_handlers(app)
    places = AssociationSlots(terms.max_requests, terms.max_requests_per_caller)

    @app.get("/")
    async def capabilities(request: Request) -> Response:
        try:
            caller_of(request, terms)
        except ProblemError as refused:
            return await _refuse(request, refused.problem, None)
        return JSONResponse(_capabilities(terms))

    @app.post("/studies")
    async def store(request: Request) -> Response:
        return await _store(request, None)

    @app.post("/studies/{study_instance_uid}")
    async def store_in_study(request: Request, study_instance_uid: str) -> Response:
        return await _store(request, study_instance_uid)

    async def _store(request: Request, study_instance_uid: str | None) -> Response:
        calling_ae_title = None
        try:
            calling_ae_title = caller_of(request, terms)
            await run_in_threadpool(require_permitted, intake, calling_ae_title)
            parser = parser_of(request, study_instance_uid, terms)
            await run_in_threadpool(intake.require_room, calling_ae_title, announced_bytes(request))
            take_place(places, intake, calling_ae_title, terms)
        except (ProblemError, MultipartError, TransientError) as refused:
            problem = _problem_of(refused)
            if calling_ae_title is not None and problem.status in _RECORDED:
                await run_in_threadpool(
                    record_malformed, intake, calling_ae_title, MultipartError(problem.code, problem.message)
                )
            return await _refuse(request, problem, calling_ae_title)
        try:
            reception = await receive_body(
                request.stream(),
                parser,
                intake,
                calling_ae_title,
                study_instance_uid,
                max_part_bytes=terms.parts.max_part_bytes,
                silence_s=terms.silence_s,
            )
        finally:
            places.give_back(calling_ae_title)
        if reception.stored == 0 and reception.malformed is not None:
            return await _refuse(request, _problem_of(reception.malformed), calling_ae_title)
        status, body = reception.answer()
        headers = _HEADERS.get(status, {}) | (_CLOSE if reception.malformed else {})
        if accepts_json(request):
            return JSONResponse(body, status_code=status, headers=headers, media_type=DICOM_JSON)
        return Response(native_xml(body), status_code=status, headers=headers, media_type=DICOM_XML)

    return app


def _capabilities(terms: StowTerms) -> dict[str, object]:
    return {
        "service": "STOW-RS",
        "paths": ["/studies", "/studies/{StudyInstanceUID}"],
        "content_type": 'multipart/related; type="application/dicom"',
        "accept": [DICOM_JSON, DICOM_XML],
        "sop_classes": [str(uid) for uid in ACCEPTED_SOP_CLASSES],
        "transfer_syntaxes": [str(uid) for uid in decodable_transfer_syntaxes()],
        "max_instance_bytes": terms.parts.max_part_bytes,
        "max_request_bytes": terms.parts.max_total_bytes,
        "max_instances": terms.parts.max_parts,
    }


def _problem_of(error: ProblemError | MultipartError | TransientError) -> Problem:
    match error:
        case ProblemError():
            return error.problem
        case MultipartError():
            status = 413 if error.code in _TOO_LARGE else 400
            return Problem(status=status, code=error.code, message=error.message)
        case TransientError():
            return Problem(status=503, code=error.code, message=error.message)


async def _refuse(request: Request, problem: Problem, calling_ae_title: str | None) -> JSONResponse:
    log_event(
        logger,
        "web_request_refused",
        level=logging.WARNING,
        http_status=problem.status,
        reason_code=problem.code,
        calling_ae_title=calling_ae_title,
        address=request.client.host if request.client else None,
    )
    if problem.code not in (SENDER_LEFT, SENDER_SILENT):
        # A sender that is still writing would lose the answer with the connection.
        await discard(request.stream())
    headers = _HEADERS.get(problem.status, {}) | _CLOSE
    return JSONResponse(
        problem.model_dump(), status_code=problem.status, headers=headers, media_type=PROBLEM_MEDIA_TYPE
    )

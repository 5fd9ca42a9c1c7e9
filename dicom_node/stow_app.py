"""STOW-RS (PS3.18 §10.5) as a second door into the intake: the addresses, and what is refused before a body is read.

`POST /studies` and `POST /studies/{study}` take multipart/related bodies of DICOM files and answer in DICOM JSON;
`GET /` says what is taken. Everything else is answered with a Problem, like the admin API's errors. The same allow-list
holds as at the DICOM port: a token stands for an AE title, and that must be a remote node that may send.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
from dataclasses import dataclass
from email.message import Message

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from dicom_node.conformance import ACCEPTED_SOP_CLASSES
from dicom_node.errors import MultipartError
from dicom_node.intake import Intake
from dicom_node.multipart_related import PartLimits, PartParser
from dicom_node.stow_request import SENDER_LEFT, SENDER_SILENT, discard, receive_body, record_malformed
from dicom_node.transfer_syntaxes import decodable_transfer_syntaxes
from dicom_node.web_tokens import WebTokens
from service.api.problems import PROBLEM_MEDIA_TYPE, Problem, ProblemError, add_problem_handlers
from service.errors import TransientError
from service.logs import log_event

logger = logging.getLogger(__name__)

ANONYMOUS_AE_TITLE = "STOW"  # who has no token, where none is asked for
RETRY_AFTER_S = "30"
RESPONSE_MEDIA_TYPE = "application/dicom+json"
_ACCEPTABLE = frozenset({RESPONSE_MEDIA_TYPE, "application/json", "application/*", "*/*"})
_UID_FORM = re.compile(r"[0-9.]{1,64}")
_RECORDED = frozenset({400, 413, 415})  # the others say nothing about what was to be sent
_TOO_LARGE = frozenset({"BODY_TOO_LARGE", "TOO_MANY_PARTS"})


@dataclass(frozen=True)
class StowTerms:
    """What a sender must keep to: `tokens` None lets everybody in as STOW; `silence_s` is the longest pause in s."""

    tokens: WebTokens | None
    max_requests: int
    parts: PartLimits
    silence_s: float


def create_stow_app(intake: Intake, terms: StowTerms) -> FastAPI:
    """The application; safe to serve from one event loop only."""
    app = FastAPI(title="softray STOW-RS", docs_url=None, redoc_url=None, openapi_url=None)
    add_problem_handlers(app)
    places = asyncio.Semaphore(terms.max_requests)

    @app.get("/")
    async def capabilities(request: Request) -> Response:
        try:
            _caller(request, terms)
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
            calling_ae_title = _caller(request, terms)
            await run_in_threadpool(_require_permitted, intake, calling_ae_title)
            parser = _parser(request, study_instance_uid, terms)
            if places.locked() or intake.shutting_down.is_set():
                raise ProblemError(503, "BUSY", "the same request will be taken later")
        except (ProblemError, MultipartError, TransientError) as refused:
            problem = _problem_of(refused)
            if calling_ae_title is not None and problem.status in _RECORDED:
                await run_in_threadpool(
                    record_malformed, intake, calling_ae_title, MultipartError(problem.code, problem.message)
                )
            return await _refuse(request, problem, calling_ae_title)
        async with places:
            reception = await receive_body(
                request.stream(), parser, intake, calling_ae_title, study_instance_uid, silence_s=terms.silence_s
            )
        if reception.stored == 0 and reception.malformed is not None:
            return await _refuse(request, _problem_of(reception.malformed), calling_ae_title)
        status, body = reception.answer()
        headers = {"Retry-After": RETRY_AFTER_S} if status == 503 else None
        return JSONResponse(body, status_code=status, headers=headers, media_type=RESPONSE_MEDIA_TYPE)

    return app


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine itself: a name or address that nobody else can send to."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _caller(request: Request, terms: StowTerms) -> str:
    """The sender's AE title. Raises ProblemError when it has no token, or none is asked and it is not from here."""
    if terms.tokens is None:
        # A page of another site that had its own name resolve to this machine would show that name.
        if not is_loopback(request.url.hostname or ""):
            raise ProblemError(403, "HOST_NOT_LOCAL", "expected a request to this machine by its loopback address")
        return ANONYMOUS_AE_TITLE
    caller = terms.tokens.ae_title_of(request.headers.get("authorization"))
    if caller is None:
        raise ProblemError(401, "TOKEN_UNKNOWN", "expected a bearer token that is known here")
    return caller


def _require_permitted(intake: Intake, calling_ae_title: str) -> None:
    if not intake.callers.permits(calling_ae_title):
        raise ProblemError(403, "CALLER_NOT_ALLOWED", "expected the AE title of a remote node that may send")


def _parser(request: Request, study_instance_uid: str | None, terms: StowTerms) -> PartParser:
    parser = PartParser(_boundary(request, study_instance_uid), terms.parts)
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced) > terms.parts.max_total_bytes:
        message = f"expected at most {terms.parts.max_total_bytes} bytes, found {announced}"
        raise MultipartError("BODY_TOO_LARGE", message)
    return parser


def _boundary(request: Request, study_instance_uid: str | None) -> str:
    """The boundary of a request that can be taken. Raises ProblemError for any other."""
    if study_instance_uid is not None and not _UID_FORM.fullmatch(study_instance_uid):
        raise ProblemError(400, "UID_INVALID", "expected a Study Instance UID in the address")
    accepted = {item.split(";")[0].strip().lower() for item in request.headers.get("accept", "*/*").split(",")}
    if not accepted & _ACCEPTABLE:
        raise ProblemError(406, "NOT_ACCEPTABLE", f"answers are given as {RESPONSE_MEDIA_TYPE} only")
    header = Message()
    header["Content-Type"] = request.headers.get("content-type", "")
    kind, boundary = str(header.get_param("type", "")).lower(), header.get_param("boundary", "")
    if header.get_content_type() != "multipart/related" or kind not in ("application/dicom", ""):
        message = 'expected Content-Type: multipart/related; type="application/dicom"'
        raise ProblemError(415, "MEDIA_TYPE_NOT_SUPPORTED", message)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProblemError(415, "MEDIA_TYPE_NOT_SUPPORTED", "expected a body that is not compressed")
    return boundary if isinstance(boundary, str) else ""


def _capabilities(terms: StowTerms) -> dict[str, object]:
    return {
        "service": "STOW-RS",
        "paths": ["/studies", "/studies/{StudyInstanceUID}"],
        "content_type": 'multipart/related; type="application/dicom"',
        "accept": RESPONSE_MEDIA_TYPE,
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
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": RETRY_AFTER_S}}.get(problem.status)
    return JSONResponse(
        problem.model_dump(), status_code=problem.status, headers=headers, media_type=PROBLEM_MEDIA_TYPE
    )

"""Error answers: one body for every failure, in the manner of RFC 9457 (`application/problem+json`).

`code` is for programs and never changes its meaning; `message` is for people. Neither repeats what was sent, so that
nothing a caller typed by mistake ends up in a log or on a screen.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from service.api.route_rules import find_rule
from service.errors import PermanentError, TransientError
from service.logs import log_event

PROBLEM_MEDIA_TYPE = "application/problem+json"

logger = logging.getLogger(__name__)


class ProblemDetail(BaseModel):
    """One of several things that are wrong."""

    subject: str = Field(description="What it is about: a parameter, or the part that is not ready.")
    message: str = Field(description="What is wrong with it, in words.")


class Problem(BaseModel):
    """The body of every answer with a status of 400 or above."""

    status: int = Field(description="The HTTP status, repeated.", examples=[404])
    code: str = Field(description="Reason code in UPPER_SNAKE; stable, for programs.", examples=["JOB_UNKNOWN"])
    message: str = Field(description="What happened and what helps, for people.")
    details: list[ProblemDetail] = Field(default=[], description="The single reasons, when there are several.")


class ProblemError(Exception):
    """Raised by a route to answer with a Problem."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: list[ProblemDetail] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.problem = Problem(status=status, code=code, message=message, details=details or [])
        self.headers = headers


DESCRIPTIONS = {
    401: "A login or a token is needed, or the one sent is not good.",
    403: "The right to do this is missing, or the request came from a page of another site.",
    404: "There is no such thing.",
    409: "The state of the thing does not allow it.",
    410: "It was removed under retention; its records are kept.",
    411: "The body came in pieces, without a Content-Length.",
    413: "The body is too large.",
    421: "softray does not answer to this host name.",
    422: "A parameter is not valid; `details` names it.",
    429: "Too many requests, or failed logins; Retry-After says how many seconds to wait.",
    500: "softray failed; the log says why.",
    503: "Something softray needs does not answer; the same request may succeed later.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """The `responses` of a route that may answer with these statuses."""
    return {status: {"model": Problem, "description": DESCRIPTIONS[status]} for status in statuses}


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer that a Problem is sent as."""
    return JSONResponse(
        problem.model_dump(), status_code=problem.status, media_type=PROBLEM_MEDIA_TYPE, headers=headers
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Map every exception that may leave a route to its Problem: the only place where that is decided."""

    @app.exception_handler(ProblemError)
    async def _problem(_request: Request, error: ProblemError) -> JSONResponse:
        return problem_response(error.problem, error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        details = [
            ProblemDetail(subject=".".join(str(part) for part in each["loc"]), message=each["msg"])
            for each in error.errors()
        ]
        return problem_response(
            Problem(status=422, code="INVALID_REQUEST", message="a parameter is not valid", details=details)
        )

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 400:
            # FastAPI's word for a body that is not even text; one that is text and no JSON is a 422 already.
            problem = Problem(status=422, code="INVALID_REQUEST", message="expected a body in JSON, found other bytes")
            return problem_response(problem)
        codes = {404: "NO_SUCH_ADDRESS", 405: "METHOD_NOT_ALLOWED"}
        code = codes.get(error.status_code, "HTTP_ERROR")
        return problem_response(Problem(status=error.status_code, code=code, message=str(error.detail)))

    @app.exception_handler(TransientError)
    async def _transient(_request: Request, error: TransientError) -> JSONResponse:
        return problem_response(Problem(status=503, code=error.code, message=error.message))

    @app.exception_handler(PermanentError)
    async def _permanent(_request: Request, error: PermanentError) -> JSONResponse:
        return problem_response(Problem(status=500, code=error.code, message=error.message))

    @app.exception_handler(SQLAlchemyError)
    async def _registry(request: Request, error: SQLAlchemyError) -> JSONResponse:
        # The error's own text may quote the connection address or a statement's values; its class says enough.
        log_event(logger, "registry_failed", level=logging.ERROR, path=_route(request), error=type(error).__name__)
        message = "the study registry does not answer; try again, and see the log if it stays so"
        return problem_response(Problem(status=503, code="REGISTRY_UNAVAILABLE", message=message))

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        log_event(logger, "request_failed", level=logging.ERROR, path=_route(request), error=type(error).__name__)
        return problem_response(Problem(status=500, code="INTERNAL_ERROR", message="softray failed; its log says more"))


def _route(request: Request) -> str | None:
    """The address pattern, such as /api/v1/jobs/{job_id}; not the address itself, which holds whatever was typed."""
    rule = find_rule(request.method, str(request.scope["path"]))
    return rule.path if rule else None

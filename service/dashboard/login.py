"""The pages for logging in and out: local account, token of the first start, or the site's identity provider.

Whoever is not logged in may load these; the gate (`service.api.access_gate`) has checked that a form was sent from our
own page.
"""

from __future__ import annotations

import json
from typing import cast
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from service.access.errors import LoginRefusedError
from service.access.principals import Principal
from service.api.access_gate import client_host, local_path
from service.api.access_policy import AccessPolicy
from service.api.dependencies import now
from service.api.problems import ProblemError
from service.audit.events import Actor, ActorKind, AuditEvent, AuditKind, Outcome
from service.dashboard.pages import NOT_KEPT, templates
from service.errors import ConfigurationError, TransientError

LARGEST_FORM = 16 * 1024
OIDC_COOKIE = "softray-login"
OIDC_WITHIN_S = 600

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/login")
def login_page(request: Request) -> HTMLResponse:
    """The form."""
    return _page(request, request.query_params.get("next"))


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Name and password, or the token of the first start."""
    form = await _form(request)
    policy, host = _policy(request), client_host(request)
    try:
        if token := form.get("token", ""):
            secret = await run_in_threadpool(policy.entry.by_first_start_token, token, host)
        else:
            secret = await run_in_threadpool(
                policy.entry.by_password, form.get("name", ""), form.get("password", ""), host
            )
    except LoginRefusedError as error:
        return _page(request, form.get("next"), error)
    return _logged_in(policy, secret, form.get("next"))


@router.get("/login/oidc")
def begin_oidc(request: Request) -> Response:
    """Send the browser to the identity provider."""
    policy = _policy(request)
    if policy.oidc is None:
        raise ProblemError(404, "OIDC_NOT_CONFIGURED", "no identity provider is configured")
    try:
        begun = policy.oidc.begin()
    except (TransientError, ConfigurationError, LoginRefusedError) as error:
        return _page(request, None, LoginRefusedError(error.code, error.message))
    answer = RedirectResponse(begun.url, status_code=303, headers=NOT_KEPT)
    remembered = [begun.state, begun.nonce, begun.verifier, local_path(request.query_params.get("next"))]
    # Lax: the browser comes back from another site.
    answer.set_cookie(
        _oidc_cookie(policy), json.dumps(remembered), max_age=OIDC_WITHIN_S, httponly=True, samesite="lax",
        secure=policy.encrypted,
    )  # fmt: skip
    return answer


@router.get("/login/oidc/callback")
def finish_oidc(request: Request) -> Response:
    """The browser is back from the identity provider, with a code if all went well."""
    policy, host = _policy(request), client_host(request)
    if policy.oidc is None:
        raise ProblemError(404, "OIDC_NOT_CONFIGURED", "no identity provider is configured")
    try:
        state, nonce, verifier, wanted = _remembered(request.cookies.get(_oidc_cookie(policy)))
        code = request.query_params.get("code")
        if not code or request.query_params.get("state") != state:
            raise LoginRefusedError("OIDC_STATE_DIFFERS", "this login was not begun in this browser; try again")
        secret = policy.entry.by_identity(policy.oidc.finish(code, nonce, verifier, now()), host)
    except (LoginRefusedError, TransientError, ConfigurationError) as error:
        if error.code.startswith("OIDC_"):
            # Anybody can come here as often as they like: repetitions are told as a number.
            nobody = Actor(ActorKind.ANONYMOUS, "", host)
            policy.alerts.report(AuditEvent(AuditKind.LOGIN, nobody, Outcome.FAILURE, reason_code=error.code))
        answer: Response = _page(request, None, LoginRefusedError(error.code, error.message))
    else:
        answer = _logged_in(policy, secret, wanted)
    answer.delete_cookie(_oidc_cookie(policy), httponly=True, samesite="lax", secure=policy.encrypted)
    return answer


@router.post("/logout")
def log_out(request: Request) -> Response:
    """End this browser's session."""
    return _logged_out(request, everywhere=False)


@router.post("/logout/everywhere")
def log_out_everywhere(request: Request) -> Response:
    """End every session of this account."""
    return _logged_out(request, everywhere=True)


def _logged_out(request: Request, *, everywhere: bool) -> Response:
    policy = _policy(request)
    policy.entry.log_out(cast(Principal, request.state.principal), client_host(request), everywhere=everywhere)
    answer = Response(status_code=204, headers={**NOT_KEPT, "Clear-Site-Data": '"cache", "storage"'})
    answer.delete_cookie(policy.cookie_name, httponly=True, samesite="lax", secure=policy.encrypted)
    return answer


def _logged_in(policy: AccessPolicy, secret: str, wanted: str | None) -> Response:
    answer = RedirectResponse(local_path(wanted), status_code=303, headers=NOT_KEPT)
    # Lax: a link in a mail finds the session; what changes something needs its CSRF token besides.
    answer.set_cookie(
        policy.cookie_name, secret, max_age=int(policy.entry.terms.absolute_s), httponly=True, samesite="lax",
        secure=policy.encrypted,
    )  # fmt: skip
    return answer


def _page(request: Request, wanted: str | None, refused: LoginRefusedError | None = None) -> HTMLResponse:
    headers = dict(NOT_KEPT)
    if refused is not None and refused.wait_s:
        headers["Retry-After"] = str(refused.wait_s)
    oidc = _policy(request).oidc is not None
    context = {"page": "login", "next": local_path(wanted), "oidc": oidc, "refused": refused}
    status = 200 if refused is None else 429 if refused.wait_s else 401
    return templates.TemplateResponse(request, "login.html", context, status_code=status, headers=headers)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form sent as application/x-www-form-urlencoded; the first value of each."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            raise ProblemError(413, "BODY_TOO_LARGE", f"expected a form of at most {LARGEST_FORM} bytes")
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        raise ProblemError(422, "INVALID_REQUEST", "expected a form of a few fields in UTF-8") from None
    return {name: values[0] for name, values in fields.items()}


def _remembered(cookie: str | None) -> tuple[str, str, str, str]:
    try:
        state, nonce, verifier, wanted = (str(part) for part in json.loads(cookie or ""))
    except (ValueError, TypeError):
        raise LoginRefusedError(
            "OIDC_STATE_MISSING", "the login took too long, or cookies are off; try again"
        ) from None
    return state, nonce, verifier, local_path(wanted)


def _oidc_cookie(policy: AccessPolicy) -> str:
    return f"__Host-{OIDC_COOKIE}" if policy.encrypted else OIDC_COOKIE


def _policy(request: Request) -> AccessPolicy:
    return cast(AccessPolicy, request.state.access)

"""The gate that every request passes before a route sees it: host name, login, right, origin, and the audit of it.

It stands outside the routers (ASGI), so that a router cannot forget it. Whatever it does not know it refuses. What is
let through carries `request.state.principal`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.errors import LoginRefusedError
from service.access.principals import LOCAL, Principal
from service.access.roles import Right
from service.api.access_policy import AccessPolicy
from service.api.audited import record_action, record_look
from service.api.dependencies import from_our_own_page
from service.api.problems import Problem, ProblemError, problem_response
from service.api.route_rules import RULES, Rule, find_rule, path_parameters
from service.audit.events import Actor, ActorKind, AuditEvent, AuditKind, Outcome
from service.errors import TransientError
from service.logs import log_event

logger = logging.getLogger(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD"})
CSRF_HEADER = "x-csrf-token"
BACKGROUND_HEADER = "x-softray-background"
"""Of requests that a page makes by itself: an open page alone does not keep anybody logged in."""
LARGEST_BODY = 1024 * 1024
LONGEST_NEXT = 2000
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="softray"'}
# Behind a proxy everybody comes from this machine; without a login that would be everybody.
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class AccessGate:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, policy: AccessPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there is no WebSocket; nothing that is not known gets in
            return
        refusal = await run_in_threadpool(self._refusal, Request(scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        """The answer to a request that is not let through; None: it is."""
        try:
            return self._judge(request)
        except ProblemError as error:
            return problem_response(error.problem, error.headers)
        except TransientError as error:
            return problem_response(Problem(status=503, code=error.code, message=error.message))
        except SQLAlchemyError as error:
            log_event(logger, "login_not_checked", level=logging.ERROR, error=type(error).__name__)
            message = "the study registry does not answer; try again, and see the log if it stays so"
            return problem_response(Problem(status=503, code="REGISTRY_UNAVAILABLE", message=message))

    def _judge(self, request: Request) -> Response | None:
        request.state.access = self._policy
        request.state.principal = None
        self._require_host(request)
        _require_small(request)
        path = routed_path(request)
        rule = find_rule(request.method, path)
        if rule is not None and rule.right is None:
            if request.method not in SAFE_METHODS:
                from_our_own_page(request)
            return None
        principal = self._principal(request)
        if principal is None:
            return _ask_for_login(request, rule)
        request.state.principal = principal
        if rule is None or rule.right is None:
            return _no_such_route(request, principal)
        self._require_right(request, principal, rule.right, rule)
        if request.method not in SAFE_METHODS:
            self._require_own_page(request, principal, rule)
            record_action(self._policy.entry.sessions, principal.actor(client_host(request)), rule, path)
        elif rule.right is Right.IMAGES:
            parameters = path_parameters(rule, path)
            record_look(self._policy.entry.sessions, principal.actor(client_host(request)), rule, parameters)
        return None

    def _require_host(self, request: Request) -> None:
        if not self._policy.hosts.allows(request.headers.get("host")):
            message = "this name is not softray's: add it to SOFTRAY_API_ALLOWED_HOSTS if it is"
            raise ProblemError(421, "HOST_NOT_ALLOWED", message)

    def _principal(self, request: Request) -> Principal | None:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            try:
                return self._policy.entry.bearer(secret.strip(), client_host(request))
            except LoginRefusedError as error:
                raise refused(error) from error
        cookie = request.cookies.get(self._policy.cookie_name)
        active = BACKGROUND_HEADER not in request.headers
        if cookie and (found := self._policy.entry.cookie(cookie, active=active)) is not None:
            return found
        if self._policy.login_required or any(name in request.headers for name in FORWARDED):
            return None
        return LOCAL

    def _require_right(self, request: Request, principal: Principal, right: Right, rule: Rule) -> None:
        if right not in principal.rights:
            self._alert(request, principal, rule, "RIGHT_MISSING")
            raise ProblemError(403, "RIGHT_MISSING", f"this needs the right {right}; ask an administrator for it")

    def _require_own_page(self, request: Request, principal: Principal, rule: Rule) -> None:
        """A browser sends cookies along whoever's page makes it; a token is sent by whoever has it."""
        if principal.kind is ActorKind.TOKEN:
            return
        try:
            from_our_own_page(request)
        except ProblemError:
            self._alert(request, principal, rule, "CROSS_SITE_REQUEST")
            raise
        if principal.csrf_token is not None and request.headers.get(CSRF_HEADER) != principal.csrf_token:
            self._alert(request, principal, rule, "CSRF_TOKEN_MISSING")
            raise ProblemError(403, "CSRF_TOKEN_MISSING", "load the page again: its X-CSRF-Token is not this session's")

    def _alert(self, request: Request, principal: Principal, rule: Rule, code: str) -> None:
        who = Actor(principal.kind, principal.name, client_host(request))
        self._policy.alerts.report(
            AuditEvent(
                AuditKind.SECURITY_ALERT, who, Outcome.FAILURE, subject=f"{rule.method} {rule.path}", reason_code=code
            )
        )


def routed_path(request: Request) -> str:
    """The path that the router goes by; `request.url` is made from the Host header too, and cleaned by its parser."""
    return str(request.scope["path"])


def client_host(request: Request) -> str:
    """The address that the request came from; a trusted proxy's word for it has been taken already."""
    return request.client.host if request.client else ""


def refused(error: LoginRefusedError) -> ProblemError:
    """401, or 429 while a lock holds."""
    if error.wait_s:
        return ProblemError(429, error.code, error.message, headers={"Retry-After": str(error.wait_s)})
    return ProblemError(401, error.code, error.message, headers=CHALLENGE)


def local_path(wanted: str | None) -> str:
    """`wanted` if it is a path of ours, else the first page: a login must not lead to another site."""
    if not wanted or len(wanted) > LONGEST_NEXT or not wanted.isprintable():
        return "/"
    return wanted if wanted.startswith("/") and not wanted.startswith(("//", "/\\")) else "/"


def _ask_for_login(request: Request, rule: Rule | None) -> Response:
    if rule is not None and rule.page and "text/html" in request.headers.get("accept", ""):
        wanted = routed_path(request) + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(wanted, safe='')}", status_code=303, headers=_NOT_KEPT)
    message = "log in at /login, or send a token: Authorization: Bearer …"
    return problem_response(Problem(status=401, code="LOGIN_REQUIRED", message=message), CHALLENGE)


def _no_such_route(request: Request, principal: Principal) -> Response | None:
    """Nothing is behind a rule that nobody wrote, but an admin who only looks sees the router's own answer."""
    if Right.ADMINISTER in principal.rights and request.method in SAFE_METHODS:
        return None
    others = sorted({rule.method for rule in RULES if rule.pattern.match(routed_path(request))})
    if others:
        problem = Problem(status=405, code="METHOD_NOT_ALLOWED", message="Method Not Allowed")
        return problem_response(problem, {"Allow": ", ".join(others)})
    return problem_response(Problem(status=404, code="NO_SUCH_ADDRESS", message="Not Found"))


def _require_small(request: Request) -> None:
    """By what the caller says beforehand: a body that is sent in pieces could be of any length."""
    if "transfer-encoding" in request.headers:
        raise ProblemError(411, "LENGTH_REQUIRED", "expected a Content-Length, found a body sent in pieces")
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > LARGEST_BODY:
        raise ProblemError(413, "BODY_TOO_LARGE", f"expected a body of at most {LARGEST_BODY} bytes")


_NOT_KEPT: Mapping[str, str] = {"Cache-Control": "no-store"}

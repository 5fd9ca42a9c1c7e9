from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.access import tokens, users
from service.access.roles import Right, Role, rights_of
from service.api.problems import PROBLEM_MEDIA_TYPE
from service.api.route_rules import RULES, Rule, find_rule
from service.audit.records import read_events
from service.errors import RegistryUnavailableError
from service.registry import audit_tables
from service.registry.access_tables import WebSession
from service.registry.job_states import JobState
from tests.service.api.installation import STARTED, Installation

PASSWORD = "correct horse battery"
RIGHTS = [(role, images) for role in Role for images in (False, True) if not (role is Role.METRICS and images)]


@pytest.fixture
def app(installation: Installation) -> FastAPI:
    return installation.app(login_required=True)


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)


def token(installation: Installation, role: Role, *, images: bool = False) -> dict[str, str]:
    secret = installation.write(
        lambda session: tokens.create_token(
            session,
            name=f"{role}-{images}-{next(installation.clock)}",
            role=role,
            images=images,
            created_by="test",
            expires_at=None,
            now=STARTED,
        )
    )
    return {"Authorization": f"Bearer {secret}"}


def log_in(client: TestClient, installation: Installation, role: Role, *, images: bool = False) -> str:
    """A session in `client`; returns its CSRF token."""
    installation.write(
        lambda session: users.add_user(
            session, name=f"{role}.doe", role=role, images=images, password=PASSWORD, now=STARTED
        )
    )
    answer = client.post("/login", data={"name": f"{role}.doe", "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return csrf_of(client)


def csrf_of(client: TestClient) -> str:
    return client.get("/").text.partition('data-csrf="')[2].partition('"')[0]


def routes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    for context in iter_route_contexts(app.routes):
        methods = getattr(context, "methods", None) or {"GET"}
        path = str(getattr(context, "path", ""))
        if path == "/static":
            path = "/static/{path:path}"
        yield from ((method, path) for method in methods if method != "HEAD")


def address(rule: Rule, job_id: str = "x") -> str:
    """The rule's path with something in each of its places."""
    values = {"job_id": job_id, "name": "source", "study_instance_uid": "1.2.3", "path": "softray.css"}
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda place: values.get(place[1], "x"), rule.path)


def test_every_route_has_a_rule_and_every_rule_a_route(app: FastAPI) -> None:
    assert sorted(set(routes_of(app))) == sorted((rule.method, rule.path) for rule in RULES)


def test_nobody_gets_anything_without_a_login_but_what_is_for_anybody(client: TestClient) -> None:
    for rule in RULES:
        answer = client.request(rule.method, address(rule))
        if rule.right is None:
            assert answer.status_code not in {403, 500, 503} or rule.path in {"/health/ready", "/readyz"}, rule
            continue
        assert answer.status_code == 401, rule
        assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
        assert answer.json()["code"] == "LOGIN_REQUIRED"
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["cache-control"] == "no-store"
    for method, path in (
        ("GET", "/nowhere"),
        ("DELETE", "/api/v1/jobs"),
        ("POST", "/metrics"),
        ("GET", "/api/v1/jobs/../../etc"),
    ):
        assert client.request(method, path).status_code == 401


@pytest.mark.parametrize(("role", "images"), RIGHTS)
def test_each_role_gets_what_its_rights_say_and_changes_nothing_else(
    client: TestClient, installation: Installation, role: Role, images: bool
) -> None:
    job_id = installation.receive("1.2.3")
    installation.derive(job_id)
    installation.add_destination()
    failed = installation.receive("1.2.4")
    installation.fail(failed)
    shown = token(installation, role, images=images)
    for rule in RULES:
        if rule.right is None or rule.path == "/openapi.json":
            continue
        answer = client.request(rule.method, address(rule, failed if rule.method == "POST" else job_id), headers=shown)
        allowed = rule.right in rights_of(role, images=images)
        # What a person reads and scores is no token's, whatever its role: the route's own refusal, behind the gate.
        by_the_gate = answer.status_code in {401, 403} and "READER_IS_NO_PERSON" not in answer.text
        assert by_the_gate != allowed, (rule, answer.status_code, answer.text[:200])
        if not allowed:
            assert (answer.status_code, answer.json()["code"]) == (403, "RIGHT_MISSING"), rule
            assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
    if Right.OPERATE not in rights_of(role, images=images):
        assert installation.state(failed) is JobState.FAILED


def test_a_browser_is_sent_to_the_login_and_back(client: TestClient, installation: Installation) -> None:
    html = {"Accept": "text/html"}
    answer = client.get("/pages/studies/1.2.3?limit=5", headers=html)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/login?next=%2Fpages%2Fstudies%2F1.2.3%3Flimit%3D5",
    )
    # A program that asks for JSON is told, not sent.
    assert client.get("/api/v1/jobs", headers=html).status_code == 401
    log_in(client, installation, Role.VIEWER)
    assert client.get("/", headers=html).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer softray_guess"},
        {"Authorization": "Bearer ' OR 1=1 --"},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Authorization": "Bearer"},
        {"Cookie": "softray-session=guess"},
        {"X-Forwarded-User": "admin"},
    ],
)
def test_what_is_no_credential_opens_nothing(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.get("/api/v1/jobs", headers=headers)
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers


def test_revoked_and_expired_tokens_open_nothing(client: TestClient, installation: Installation) -> None:
    good = token(installation, Role.VIEWER)
    assert client.get("/api/v1/me", headers=good).json()["rights"] == ["METRICS", "STATES"]
    name = client.get("/api/v1/me", headers=good).json()["name"]
    installation.write(lambda session: tokens.revoke_tokens(session, name, now=STARTED))
    assert client.get("/api/v1/me", headers=good).json()["code"] == "TOKEN_NOT_GOOD"


def test_a_change_by_cookie_needs_the_sessions_csrf_token(client: TestClient, installation: Installation) -> None:
    csrf = log_in(client, installation, Role.OPERATOR)
    other = TestClient(client.app, follow_redirects=False)
    installation.write(
        lambda session: users.add_user(
            session, name="second", role=Role.OPERATOR, images=False, password=PASSWORD, now=STARTED
        )
    )
    other.post("/login", data={"name": "second", "password": PASSWORD})
    job_id = installation.receive("1.2.3")
    installation.fail(job_id)
    for wrong in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "guess"}, {"X-CSRF-Token": csrf_of(other)}):
        answer = client.post(f"/api/v1/jobs/{job_id}/retry", headers=wrong)
        assert (answer.status_code, answer.json()["code"]) == (403, "CSRF_TOKEN_MISSING")
    for foreign in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = client.post(f"/api/v1/jobs/{job_id}/retry", headers={"X-CSRF-Token": csrf} | foreign)
        assert (answer.status_code, answer.json()["code"]) == (403, "CROSS_SITE_REQUEST")
    assert installation.state(job_id) is JobState.FAILED
    own = {"X-CSRF-Token": csrf, "Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert client.post(f"/api/v1/jobs/{job_id}/retry", headers=own).status_code == 202
    # A token of a session that is over is worth nothing.
    assert client.post("/logout", headers=own).status_code == 204
    assert client.post(f"/api/v1/jobs/{job_id}/retry", headers=own).status_code == 401


def test_a_foreign_host_name_is_refused_before_anything_else(client: TestClient) -> None:
    for host in ("evil.example", "evil.example:8080", "testserver.evil.example", "", "a b"):
        assert client.get("/health/live", headers={"Host": host}).json()["code"] == "HOST_NOT_ALLOWED", host
    for host in ("127.0.0.1:8080", "localhost", "[::1]:8080", "10.1.2.3", "TESTSERVER"):
        assert client.get("/health/live", headers={"Host": host}).status_code == 200, host


def test_without_a_login_nobody_comes_through_a_proxy(installation: Installation) -> None:
    client = TestClient(installation.app(login_required=False))
    assert client.get("/api/v1/me").json()["kind"] == "LOCAL"
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        assert client.get("/api/v1/me", headers={name: "10.0.0.1"}).status_code == 401


def test_a_body_that_is_too_large_is_refused(client: TestClient, installation: Installation) -> None:
    admin = token(installation, Role.ADMIN)
    answer = client.post("/api/v1/jobs/x/retry", headers=admin, content=b"x" * 10_000_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert client.post("/login", content=b"name=" + b"x" * 20_000).json()["code"] == "BODY_TOO_LARGE"
    in_pieces = client.post("/api/v1/jobs/retry", headers=admin, content=iter([b"{", b"}"]))
    assert (in_pieces.status_code, in_pieces.json()["code"]) == (411, "LENGTH_REQUIRED")


def test_the_gate_goes_by_the_path_that_the_router_goes_by(client: TestClient) -> None:
    # Parsers of addresses drop tabs and line breaks, and cut at what looks like a query.
    for path in ("/lo%09gin", "/%0Alogin", "/login%3F/../jobs", "/static%09/x"):
        assert client.get(path).status_code == 401, path


def test_what_changes_something_and_has_no_rule_is_closed_to_an_admin_too(
    app: FastAPI, client: TestClient, installation: Installation
) -> None:
    app.add_api_route("/forgotten", lambda: "done", methods=["GET", "POST"])
    admin = token(installation, Role.ADMIN)
    assert client.get("/forgotten", headers=admin).status_code == 200
    assert client.post("/forgotten", headers=admin).status_code == 404
    assert client.get("/forgotten", headers=token(installation, Role.OPERATOR)).status_code == 404


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "/\t/[",
        "/\n/evil",
        "/" + "x" * 9000,
    ],
)
def test_a_login_leads_to_no_other_site(client: TestClient, wanted: str) -> None:
    answer = client.get("/login", params={"next": wanted})
    assert (answer.status_code, 'name="next" value="/"' in answer.text) == (200, True)


def test_every_look_at_a_picture_is_noted_and_nothing_is_shown_that_cannot_be_noted(
    client: TestClient, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = installation.receive("1.2.3")
    installation.derive(job_id)
    viewer = token(installation, Role.VIEWER, images=True)
    assert client.get(f"/api/v1/jobs/{job_id}/previews/source.png", headers=viewer).status_code == 200
    (noted,) = installation.read(lambda session: session.scalars(select(audit_tables.AuditNote)).all())
    assert (noted.kind, noted.actor_kind, noted.study_instance_uid) == ("INSTANCES_ACCESSED", "TOKEN", "1.2.3")
    assert noted.sop_instance_uid == "1.2.3.1.1"
    # A picture that is not there shows nothing.
    assert client.get("/api/v1/jobs/none/previews/source.png", headers=viewer).status_code == 404

    def broken(*_: object, **__: object) -> None:
        raise RegistryUnavailableError("REGISTRY_UNAVAILABLE", "away")

    monkeypatch.setattr("service.api.audited.note", broken)
    answer = client.get(f"/api/v1/jobs/{job_id}/previews/source.png", headers=viewer)
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM_MEDIA_TYPE)


def test_actions_refusals_and_forged_requests_are_in_the_trail_once_a_minute(
    client: TestClient, installation: Installation
) -> None:
    job_id = installation.receive("1.2.3")
    installation.fail(job_id)
    viewer, operator = token(installation, Role.VIEWER), token(installation, Role.OPERATOR)
    for _ in range(5):
        client.post(f"/api/v1/jobs/{job_id}/retry", headers=viewer)
    client.post(f"/api/v1/jobs/{job_id}/retry", headers=operator)
    events = installation.read(lambda session: list(read_events(session)))
    found = [(event.kind, event.outcome, event.subject) for event in events]
    retry = "POST /api/v1/jobs/{job_id}/retry"
    assert found == [("SECURITY_ALERT", "FAILURE", retry), ("ACTION", "SUCCESS", retry)]
    assert job_id in events[-1].content


def test_headers_of_a_hardened_site_are_on_every_answer(installation: Installation) -> None:
    client = TestClient(installation.app(login_required=True, encrypted=True), base_url="https://testserver")
    for path in ("/", "/login", "/api/v1/jobs", "/nowhere", "/static/softray.js", "/health/live"):
        headers: httpx.Headers = client.get(path).headers
        assert headers["strict-transport-security"].startswith("max-age="), path
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        # "no-referrer" would hide our own page's origin from ourselves: the login form would be a stranger's.
        assert headers["referrer-policy"] == "same-origin"


def test_an_open_page_alone_does_not_keep_a_session(client: TestClient, installation: Installation) -> None:
    log_in(client, installation, Role.VIEWER)

    def last_seen() -> object:
        return installation.read(lambda session: session.scalar(select(func.max(WebSession.last_seen_at))))

    def age(session: Session) -> None:
        (row,) = session.scalars(select(WebSession))
        row.last_seen_at -= timedelta(seconds=600)

    installation.write(age)
    before = last_seen()
    assert client.get("/", headers={"X-Softray-Background": "1"}).status_code == 200
    assert last_seen() == before
    assert client.get("/").status_code == 200
    assert last_seen() != before


def test_a_rule_is_found_for_head_as_for_get() -> None:
    assert find_rule("HEAD", "/api/v1/jobs/1/previews/source.png") == find_rule(
        "GET", "/api/v1/jobs/1/previews/source.png"
    )
    assert find_rule("PUT", "/api/v1/jobs") is None

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from service.access.errors import LoginRefusedError
from service.access.oidc import ASKED_AT_A_TIME, OidcClient, OidcProvider, RoleClaim
from service.access.roles import Role
from service.audit.records import read_events
from service.errors import ConfigurationError, TransientError
from tests.peers.process import free_port
from tests.service.api.installation import Installation, install

CLIENT = "softray"


@dataclass
class Provider:
    """An identity provider on loopback; `claims` are what it says of whoever logs in, `header` how it signs."""

    port: int = 0
    keys: list[RSAKey] = field(default_factory=list)
    claims: dict[str, object] = field(default_factory=dict)
    forged_with: OctKey | RSAKey | None = None
    algorithm: str = "RS256"
    challenge: str = ""
    nonce: str = ""

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def authorize(self, url: str) -> str:
        """What a person's login at the provider gives: the state that comes back with the code."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        self.challenge, self.nonce = query["code_challenge"], query["nonce"]
        return query["state"]

    def token(self, form: dict[str, str]) -> dict[str, str] | None:
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge or form["code"] != "good":
            return None
        now = int(datetime.now(UTC).timestamp())
        standard = {"iss": self.issuer, "aud": CLIENT, "sub": "42", "iat": now, "exp": now + 300, "nonce": self.nonce}
        claims = {k: v for k, v in (standard | self.claims).items() if v is not None}
        key = self.forged_with or self.keys[-1]
        header = {"alg": self.algorithm, "kid": self.keys[-1].kid}
        return {"id_token": jwt.encode(header, claims, key, algorithms=[self.algorithm]), "token_type": "Bearer"}


@pytest.fixture(scope="module")
def keys() -> list[RSAKey]:
    return [RSAKey.generate_key(2048, parameters={"kid": f"key-{number}"}) for number in (1, 2)]


@pytest.fixture
def provider(keys: list[RSAKey]) -> Iterator[Provider]:
    made = Provider(keys=keys[:1], claims={"preferred_username": "Jane.Doe", "roles": ["softray-operator", "x"]})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            endpoints = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
            metadata = {"issuer": made.issuer} | {name: made.issuer + path for name, path in endpoints.items()}
            public = KeySet(list(made.keys)).as_dict(private=False)
            self._answer(200, public if self.path == "/keys" else metadata)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer = made.token({name: values[0] for name, values in parse_qs(body).items()})
            self._answer(200 if answer else 400, answer or {"error": "invalid_grant"})

        def _answer(self, status: int, body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def client_of(provider: Provider, **overrides: object) -> OidcProvider:
    fields = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": "s",
        "redirect_uri": "http://testserver/login/oidc/callback",
    }
    return OidcProvider(OidcClient(**(fields | overrides)))  # type: ignore[arg-type]


def finish(provider: Provider, ours: OidcProvider, code: str = "good", **changed: str):  # type: ignore[no-untyped-def]
    begun = ours.begin()
    provider.authorize(begun.url)
    known = {"nonce": begun.nonce, "verifier": begun.verifier} | changed
    return ours.finish(code, known["nonce"], known["verifier"], datetime.now(UTC))


def test_whoever_the_provider_vouches_for_has_the_role_that_it_says(provider: Provider) -> None:
    found = finish(provider, client_of(provider))
    assert (found.subject, found.name, found.role, found.images) == ("42", "Jane.Doe", Role.OPERATOR, False)
    provider.claims = {"realm_access": {"roles": ["softray-viewer", "softray-admin", "softray-images"]}}
    found = finish(provider, client_of(provider, roles=RoleClaim("realm_access.roles")))
    assert (found.name, found.role, found.images) == ("42", Role.ADMIN, True)
    for nothing in (None, [], "softray-administrator", {"a": 1}, 7):
        provider.claims = {"roles": nothing}
        assert finish(provider, client_of(provider)).role is None


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"azp": "another"},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"nonce": "another"},
        {"nonce": None},
    ],
    ids=str,
)
def test_an_id_token_that_is_not_for_this_login_is_refused(provider: Provider, claims: dict[str, object]) -> None:
    provider.claims = {"roles": ["softray-admin"]} | claims
    with pytest.raises(LoginRefusedError, match="OIDC_TOKEN_INVALID"):
        finish(provider, client_of(provider))


def test_a_signature_that_is_not_the_providers_is_refused(provider: Provider, keys: list[RSAKey]) -> None:
    provider.forged_with = keys[1]
    with pytest.raises(LoginRefusedError, match="OIDC_TOKEN_INVALID"):
        finish(provider, client_of(provider))
    # Whatever a key of symmetric algorithms signs; the library refuses to make one of the provider's public key.
    provider.forged_with, provider.algorithm = OctKey.generate_key(256), "HS256"
    with pytest.raises(LoginRefusedError, match="OIDC_TOKEN_INVALID"):
        finish(provider, client_of(provider))


def test_a_code_or_a_verifier_of_somebody_else_is_refused(provider: Provider) -> None:
    with pytest.raises(LoginRefusedError, match="OIDC_REFUSED"):
        finish(provider, client_of(provider), code="stolen")
    with pytest.raises(LoginRefusedError, match="OIDC_REFUSED"):
        finish(provider, client_of(provider), verifier="another")


def test_a_provider_that_rotates_its_keys_is_still_believed(
    provider: Provider, keys: list[RSAKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.access.oidc.KEYS_AT_MOST_EVERY_S", -1.0)
    ours = client_of(provider)
    finish(provider, ours)
    provider.keys = [keys[1]]
    assert finish(provider, ours).subject == "42"


def test_a_provider_that_is_away_or_not_encrypted_is_said() -> None:
    away = OidcProvider(OidcClient(f"http://127.0.0.1:{free_port()}", CLIENT, "", "http://x/"))
    with pytest.raises(TransientError, match="OIDC_UNREACHABLE"):
        away.begin()
    with pytest.raises(ConfigurationError, match="OIDC_NOT_ENCRYPTED"):
        OidcProvider(OidcClient("http://idp.example", CLIENT, "", "http://x/"))


@pytest.fixture
def installation(tmp_path) -> Iterator[Installation]:  # type: ignore[no-untyped-def]
    installed = install(tmp_path)
    yield installed
    installed.sessions.kw["bind"].dispose()


def test_a_person_logs_in_by_the_provider_and_is_led_back(provider: Provider, installation: Installation) -> None:
    app = installation.app(login_required=True, oidc=client_of(provider))
    browser = TestClient(app, follow_redirects=False)
    assert 'href="/login/oidc?next=' in browser.get("/login").text
    begun = browser.get("/login/oidc", params={"next": "/refused"})
    state = provider.authorize(begun.headers["location"])
    back = browser.get("/login/oidc/callback", params={"code": "good", "state": state})
    assert (back.status_code, back.headers["location"]) == (303, "/refused")
    assert browser.get("/api/v1/me").json() == {
        "name": "jane.doe", "kind": "USER", "role": "operator", "rights": ["METRICS", "OPERATE", "STATES"],
    }  # fmt: skip
    # Nobody can be made to log in with a code of somebody else, nor led to another site.
    victim = TestClient(app, follow_redirects=False)
    assert victim.get("/login/oidc/callback", params={"code": "good", "state": state}).status_code == 401
    victim.get("/login/oidc", params={"next": "//evil.example"})
    assert victim.get("/login/oidc/callback", params={"code": "good", "state": "guess"}).status_code == 401
    state = provider.authorize(victim.get("/login/oidc", params={"next": "//evil.example"}).headers["location"])
    led = victim.get("/login/oidc/callback", params={"code": "good", "state": state})
    assert led.headers["location"] == "/"


def test_a_person_without_a_role_is_not_let_in(provider: Provider, installation: Installation) -> None:
    provider.claims = {"preferred_username": "jane"}
    browser = TestClient(installation.app(login_required=True, oidc=client_of(provider)), follow_redirects=False)
    state = provider.authorize(browser.get("/login/oidc").headers["location"])
    answer = browser.get("/login/oidc/callback", params={"code": "good", "state": state})
    assert answer.status_code == 401
    assert "NO_ROLE" in answer.text
    assert browser.get("/api/v1/me").status_code == 401


def test_whoever_comes_back_again_and_again_without_a_login_does_not_fill_the_trail(
    provider: Provider, installation: Installation
) -> None:
    browser = TestClient(installation.app(login_required=True, oidc=client_of(provider)), follow_redirects=False)
    for _ in range(30):
        assert browser.get("/login/oidc/callback", params={"code": "x", "state": "y"}).status_code == 401
    failed = installation.read(lambda session: [event for event in read_events(session) if event.kind == "LOGIN"])
    assert [(event.outcome, "OIDC_STATE_MISSING" in event.content) for event in failed] == [("FAILURE", True)]


def test_a_provider_that_is_silent_holds_few_threads() -> None:
    """Anybody may begin a login, and each that waits is a thread that answers nobody else."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        ours = OidcProvider(OidcClient(f"http://127.0.0.1:{silent.getsockname()[1]}", CLIENT, "", "http://x/callback"))
        waiting = [threading.Thread(target=_begin, args=(ours,), daemon=True) for _ in range(ASKED_AT_A_TIME)]
        for one in waiting:
            one.start()
        held = [silent.accept()[0] for _ in waiting]
        with pytest.raises(TransientError, match="slow to answer"):
            ours.begin()
        for connection in held:
            connection.close()
        for one in waiting:
            one.join(timeout=20)
        assert not any(one.is_alive() for one in waiting)


def _begin(provider: OidcProvider) -> None:
    with contextlib.suppress(TransientError):
        provider.begin()

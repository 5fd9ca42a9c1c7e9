"""Login at the site's identity provider: OpenID Connect Core, authorization code flow with PKCE (RFC 7636).

`begin` gives the address that the browser is sent to and what must be remembered until it comes back; `finish` turns
the code into an identity, or raises. Signatures and claims are checked by joserfc; the provider is reached over HTTPS
with `requests`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, KeySet

from service.access.errors import LoginRefusedError
from service.access.roles import Role
from service.errors import ConfigurationError, TransientError

# No HMAC, whose key everybody who verifies could sign with, and never "none".
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
TIMEOUT_S = 10.0
# Anybody may begin a login: while the provider is slow to answer, this many threads wait for it and no more.
ASKED_AT_A_TIME = 8
ROOM_WITHIN_S = 0.5
METADATA_LASTS_S = 3600.0
KEYS_AT_MOST_EVERY_S = 30.0
CLOCK_SKEW_S = 60
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class RoleClaim:
    """Where the provider says what somebody may do: a claim (`realm_access.roles`: in an object), and its values."""

    claim: str = "roles"
    viewer: str = "softray-viewer"
    operator: str = "softray-operator"
    admin: str = "softray-admin"
    images: str = "softray-images"


@dataclass(frozen=True)
class OidcClient:
    """Us, as the provider knows us. `client_secret` "": a public client, for which PKCE alone stands."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    roles: RoleClaim = RoleClaim()
    ca_file: Path | None = None


@dataclass(frozen=True)
class Begun:
    """A login under way: where the browser goes, and what it must bring back unseen by anyone else."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Identity:
    """Whom the provider vouches for; `role` None: not for us."""

    issuer: str
    subject: str
    name: str
    role: Role | None
    images: bool


class OidcProvider:
    """The provider's addresses and keys, fetched when they are first needed and kept for an hour."""

    def __init__(self, client: OidcClient) -> None:
        _require_https(client.issuer)
        self._client = client
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(ASKED_AT_A_TIME)
        self._metadata: dict[str, Any] | None = None  # the JSON document of OpenID Connect Discovery
        self._metadata_at = 0.0
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    def begin(self) -> Begun:
        """A new login. Raises TransientError when the provider does not answer."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_uri,
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return Begun(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", state, nonce, verifier)

    def finish(self, code: str, nonce: str, verifier: str, now: datetime) -> Identity:
        """Who came back with `code`. Raises LoginRefusedError, or TransientError when the provider does not answer."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect_uri,
            "client_id": self._client.client_id,
            "code_verifier": verifier,
        }
        secret = self._client.client_secret
        login = (self._client.client_id, secret) if secret else None
        answer = self._ask("POST", self._endpoint("token_endpoint"), form, login)
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise LoginRefusedError("OIDC_NO_ID_TOKEN", "the identity provider did not accept the login")
        return self._identity(self._claims(id_token, nonce, now))

    def _claims(self, id_token: str, nonce: str, now: datetime) -> dict[str, Any]:
        """OpenID Connect Core 3.1.3.7."""
        try:
            claims = jwt.decode(id_token, self._keys_for, algorithms=ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=CLOCK_SKEW_S,
                iss={"essential": True, "value": self._client.issuer},
                aud={"essential": True, "value": self._client.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError) as error:
            # The library's sentence may quote a claim.
            raise LoginRefusedError("OIDC_TOKEN_INVALID", f"the ID token is not good: {type(error).__name__}") from None
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        party = claims.get("azp", self._client.client_id if len(audience) == 1 else None)
        if party != self._client.client_id:
            raise LoginRefusedError("OIDC_TOKEN_INVALID", "the ID token is for another client")
        return dict(claims)

    def _identity(self, claims: dict[str, Any]) -> Identity:
        said: Any = claims
        for part in self._client.roles.claim.split("."):
            said = said.get(part) if isinstance(said, dict) else None
        values = set(said.split() if isinstance(said, str) else map(str, said) if isinstance(said, list) else ())
        roles = self._client.roles
        highest_first = ((roles.admin, Role.ADMIN), (roles.operator, Role.OPERATOR), (roles.viewer, Role.VIEWER))
        highest = next((role for value, role in highest_first if value in values), None)
        name = str(claims.get("preferred_username") or claims["sub"])
        return Identity(self._client.issuer, str(claims["sub"]), name, highest, roles.images in values)

    def _keys_for(self, token: GuestProtocol) -> KeySet:
        """The provider's keys; fetched again for a key ID that is not among them, as after a rotation."""
        kid = token.headers().get("kid")
        with self._lock:
            known = self._keys is not None and (kid is None or any(key.kid == kid for key in self._keys.keys))
            if (not known and time.monotonic() - self._keys_at > KEYS_AT_MOST_EVERY_S) or self._keys is None:
                self._keys = KeySet.import_key_set(self._ask("GET", self._endpoint("jwks_uri")))  # type: ignore[arg-type]
                self._keys_at = time.monotonic()
            return self._keys

    def _endpoint(self, name: str) -> str:
        if self._metadata is None or time.monotonic() - self._metadata_at > METADATA_LASTS_S:
            found = self._ask("GET", f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self._client.issuer:
                raise ConfigurationError(
                    "OIDC_ISSUER_DIFFERS", "the identity provider names another issuer than SOFTRAY_OIDC_ISSUER"
                )
            self._metadata, self._metadata_at = found, time.monotonic()
        endpoint = self._metadata.get(name)
        if not isinstance(endpoint, str):
            raise ConfigurationError("OIDC_METADATA_INCOMPLETE", f"the identity provider names no {name}")
        _require_https(endpoint)
        return endpoint

    def _ask(
        self, method: str, url: str, form: dict[str, str] | None = None, login: tuple[str, str] | None = None
    ) -> dict[str, Any]:
        """The JSON object that the provider answers. Neither the code nor a token is repeated in an error."""
        if not self._room.acquire(timeout=ROOM_WITHIN_S):
            raise TransientError("OIDC_UNREACHABLE", "the identity provider is slow to answer; try again")
        try:
            answer = requests.request(
                method,
                url,
                data=form,
                auth=login,
                timeout=TIMEOUT_S,
                allow_redirects=False,
                verify=str(self._client.ca_file) if self._client.ca_file else True,
                headers={"Accept": "application/json"},
            )
        except requests.RequestException as error:
            words = f"the identity provider does not answer: {type(error).__name__}"
            raise TransientError("OIDC_UNREACHABLE", words) from None
        finally:
            self._room.release()
        if answer.status_code >= 500:
            raise TransientError("OIDC_UNREACHABLE", f"the identity provider answers {answer.status_code}")
        if answer.status_code != 200:
            raise LoginRefusedError("OIDC_REFUSED", f"the identity provider answers {answer.status_code}")
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise TransientError("OIDC_UNREACHABLE", "the identity provider does not answer with JSON")
        return found


def _require_https(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ConfigurationError("OIDC_NOT_ENCRYPTED", "expected https:// addresses of the identity provider")

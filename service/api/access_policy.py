"""What the gate and the login pages work with, built once from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.orm import Session, sessionmaker

from service.access.entry import Entry
from service.access.oidc import OidcClient, OidcProvider, RoleClaim
from service.access.web_sessions import SessionTerms
from service.api.host_names import HostNames, host_names, is_loopback
from service.audit.alerts import Alerts
from service.errors import ConfigurationError
from service.settings import Settings


@dataclass(frozen=True)
class AccessPolicy:
    """`login_required` False: whoever asks from this very machine is let in (`principals.LOCAL`).

    `encrypted`: browsers reach us over TLS, our own or a proxy's; cookies are then sent no other way. `oidc` None:
    local accounts only. `requests_per_s` of one address; 0: no limit.
    """

    entry: Entry
    alerts: Alerts
    hosts: HostNames
    login_required: bool = True
    encrypted: bool = False
    oidc: OidcProvider | None = None
    requests_per_s: float = 0.0

    @property
    def cookie_name(self) -> str:
        """`__Host-`: browsers take it over TLS only, from this host only, for all paths (RFC 6265bis 4.1.3.2)."""
        return "__Host-softray" if self.encrypted else "softray-session"


def access_policy(settings: Settings, sessions: sessionmaker[Session]) -> AccessPolicy:
    """The policy that the settings ask for. Raises ConfigurationError for what cannot be meant."""
    public = urlsplit(settings.api_public_url)
    behind_a_proxy = bool(settings.api_public_url or settings.api_trusted_proxies)
    if settings.api_public_url and (public.scheme not in {"http", "https"} or not public.hostname):
        raise ConfigurationError("API_PUBLIC_URL_INVALID", "SOFTRAY_API_PUBLIC_URL: expected https://HOST[:PORT]")
    if (settings.api_certificate_file is None) != (settings.api_key_file is None):
        raise ConfigurationError("TLS_NOT_CONFIGURED", "TLS of the API needs a certificate file and a key file")
    listed = [*settings.api_allowed_hosts.split(","), public.hostname or "", settings.api_host]
    return AccessPolicy(
        entry=Entry(sessions, SessionTerms(settings.session_idle_s, settings.session_absolute_s)),
        alerts=Alerts(sessions),
        hosts=host_names(listed),
        # Not every proxy says that it is one, and to us all of its visitors come from this machine.
        login_required=settings.api_login == "always" or behind_a_proxy or not is_loopback(settings.api_host),
        encrypted=settings.api_certificate_file is not None or public.scheme == "https",
        oidc=_oidc(settings),
        requests_per_s=settings.api_request_rate,
    )


def base_url(settings: Settings) -> str:
    """The address that people know the API by, without a slash at its end."""
    if settings.api_public_url:
        return settings.api_public_url.rstrip("/")
    scheme = "https" if settings.api_certificate_file is not None else "http"
    host = f"[{settings.api_host}]" if ":" in settings.api_host else settings.api_host
    return f"{scheme}://{host}:{settings.api_port}"


def _oidc(settings: Settings) -> OidcProvider | None:
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_client_id:
        raise ConfigurationError("OIDC_NOT_CONFIGURED", "SOFTRAY_OIDC_ISSUER needs SOFTRAY_OIDC_CLIENT_ID")
    return OidcProvider(
        OidcClient(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=_secret(settings.oidc_client_secret_file),
            redirect_uri=f"{base_url(settings)}/login/oidc/callback",
            roles=RoleClaim(
                settings.oidc_role_claim,
                settings.oidc_viewer,
                settings.oidc_operator,
                settings.oidc_admin,
                settings.oidc_images,
            ),
            ca_file=settings.oidc_ca_file,
        )
    )


def _secret(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        words = f"SOFTRAY_OIDC_CLIENT_SECRET_FILE: expected a readable file, found: {type(error).__name__}"
        raise ConfigurationError("OIDC_SECRET_UNREADABLE", words) from None

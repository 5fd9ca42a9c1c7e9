"""The settings of access to the admin API, and of the audit trail; part of `service.settings.Settings`.

Secrets are read from files that a setting names, so that neither the environment of a process nor a log shows them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from service.setting_types import Seconds

FILES = (
    "api_certificate_file",
    "api_key_file",
    "oidc_client_secret_file",
    "oidc_ca_file",
    "audit_ca_file",
    "audit_certificate_file",
    "audit_key_file",
)


class AccessSettings(BaseSettings):
    """One value per setting, as in `Settings`."""

    # Access to the admin API
    api_login: Literal["always", "auto"] = Field(
        default="always",
        description="Who must log in: always everybody; auto: nobody where api_host is a loopback address.",
    )
    api_certificate_file: Path | None = Field(
        default=None, description="TLS certificate chain (PEM) of the admin API; empty: not encrypted."
    )
    api_key_file: Path | None = Field(default=None, description="Private key (PEM) of that certificate.")
    api_public_url: str = Field(
        default="",
        description="Address that browsers know the admin API by, where a proxy stands before it (https://…).",
    )
    api_allowed_hosts: str = Field(
        default="",
        description="Further host names that the admin API answers to, separated by commas.",
    )
    api_trusted_proxies: str = Field(
        default="",
        description="Addresses of proxies whose X-Forwarded-For is believed, separated by commas.",
    )
    api_request_rate: float = Field(
        default=50,
        ge=0,
        description="Requests a second that one address may make, four times as many at once; 0: no limit.",
    )
    session_idle_s: Seconds = Field(default=1800, description="A browser that is silent for so long is logged out.")
    session_absolute_s: Seconds = Field(default=12 * 3600, description="A browser is logged out after so long anyway.")
    oidc_issuer: str = Field(
        default="", description="Identity provider (OpenID Connect issuer, https://…); empty: local accounts only."
    )
    oidc_client_id: str = Field(default="", description="Our client ID at the identity provider.")
    oidc_client_secret_file: Path | None = Field(
        default=None, description="File with our client secret; empty: a public client (PKCE alone)."
    )
    oidc_ca_file: Path | None = Field(
        default=None, description="Authorities (PEM) that the identity provider is trusted by; empty: the public ones."
    )
    oidc_role_claim: str = Field(
        default="roles",
        description="Claim of the ID token that holds roles; dots go into objects (realm_access.roles).",
    )
    oidc_viewer: str = Field(default="softray-viewer", description="Value of that claim that makes a viewer.")
    oidc_operator: str = Field(default="softray-operator", description="Value that makes an operator.")
    oidc_admin: str = Field(default="softray-admin", description="Value that makes an administrator.")
    oidc_images: str = Field(default="softray-images", description="Value that allows to look at images.")

    # Audit trail
    audit_source_id: str = Field(
        default="",
        max_length=128,
        description="Name of this installation in audit messages; empty: AE title and host name.",
    )
    audit_repository: str = Field(
        default="",
        description="Audit record repository, HOST or HOST:PORT, told by syslog over TLS (RFC 5425); empty: none.",
    )
    audit_ca_file: Path | None = Field(
        default=None, description="Authorities (PEM) that the repository is trusted by; empty: the public ones."
    )
    audit_certificate_file: Path | None = Field(
        default=None, description="Our certificate (PEM) for a repository that asks for one."
    )
    audit_key_file: Path | None = Field(default=None, description="Private key (PEM) of that certificate.")

    @field_validator(*FILES, mode="before")
    @classmethod
    def _empty_means_no_file(cls, value: object) -> object:
        return None if value == "" else value

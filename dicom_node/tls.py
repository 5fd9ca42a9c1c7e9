"""TLS contexts for associations from PEM files: the BCP 195 profile of PS3.15 §B.12, both sides authenticated.

TLS 1.2 at least, 1.3 preferred; a peer without a certificate of the configured CA gets no association. What is wrong
with the files is said when the process starts, in terms of what was expected and what was found.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dicom_node.certificate_dates import validity
from service.errors import ConfigurationError
from service.settings import Settings


@dataclass(frozen=True)
class TlsFiles:
    """PEM files: our certificate (with its chain), its private key, and the CA certificates that peers are held to."""

    certificate: Path
    private_key: Path
    ca: Path


def tls_files(settings: Settings) -> TlsFiles:
    """The files that the settings name. Raises ConfigurationError unless all three are named."""
    named = {
        "SOFTRAY_TLS_CERTIFICATE": settings.tls_certificate,
        "SOFTRAY_TLS_PRIVATE_KEY": settings.tls_private_key,
        "SOFTRAY_TLS_CA": settings.tls_ca,
    }
    missing = [name for name, path in named.items() if path is None]
    if settings.tls_certificate is None or settings.tls_private_key is None or settings.tls_ca is None:
        raise ConfigurationError("TLS_NOT_CONFIGURED", f"TLS needs three files; not set: {', '.join(missing)}")
    return TlsFiles(settings.tls_certificate, settings.tls_private_key, settings.tls_ca)


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """For associations that we accept: the client must show a certificate. Raises ConfigurationError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(context, files)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(files: TlsFiles, *, check_host: bool = True) -> ssl.SSLContext:
    """For associations that we request. `check_host`: the peer's certificate must name the host that we connect to.

    Raises ConfigurationError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_host
    _load(context, files)
    return context


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    for purpose, path in (("certificate", files.certificate), ("private key", files.private_key), ("CA", files.ca)):
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise _wrong(f"expected a PEM file with the {purpose} at {path}: {error.strerror}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An encrypted key would otherwise ask a terminal that no server has.
        context.load_cert_chain(files.certificate, files.private_key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            message = f"expected the private key of {files.certificate}, found another at {files.private_key}"
        else:
            what = error.reason or "no PEM content"
            message = (
                f"expected a PEM certificate at {files.certificate} and its key at {files.private_key}, found {what}"
            )
        raise _wrong(message) from None
    except ValueError:
        raise _wrong(f"expected a private key without a password at {files.private_key}") from None
    try:
        context.load_verify_locations(files.ca)
    except ssl.SSLError as error:
        raise _wrong(
            f"expected PEM certificates of a CA at {files.ca}, found {error.reason or 'other content'}"
        ) from None
    _require_valid_now(files.certificate)


def _no_password() -> str:
    raise ValueError("encrypted key")


def _require_valid_now(certificate: Path) -> None:
    valid, now = validity(certificate.read_text(encoding="ascii", errors="replace")), datetime.now(UTC)
    if now > valid.not_after:
        found = f"one that ended on {valid.not_after:%Y-%m-%d}"
    elif now < valid.not_before:
        found = f"one that begins on {valid.not_before:%Y-%m-%d}"
    else:
        return
    raise _wrong(f"expected a certificate that is valid now at {certificate}, found {found}")


def _wrong(message: str) -> ConfigurationError:
    return ConfigurationError("TLS_FILES_INVALID", message)

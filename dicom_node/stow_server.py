"""The STOW-RS server beside the DICOM node, in a thread of the same process and over the same intake.

`start_stow_server` is what the node's process calls. It refuses to start where anybody on the network could send: on
another address than a loopback one it needs tokens.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time

import uvicorn
from fastapi import FastAPI

from dicom_node.intake import Intake
from dicom_node.loopback import is_loopback
from dicom_node.multipart_related import PartLimits
from dicom_node.stow_admission import StowTerms
from dicom_node.stow_app import create_stow_app
from dicom_node.web_tokens import read_tokens
from service.errors import ConfigurationError
from service.logs import log_event
from service.settings import Settings
from service.web_connections import ImpatientConnection

logger = logging.getLogger(__name__)

MAX_PARTS = 1000
FINISH_S = 3.0
STARTING_S = 30.0
_CONNECTIONS_PER_REQUEST = 8  # those that wait between two requests count as well


def start_stow_server(settings: Settings, intake: Intake, *, finish_s: float = FINISH_S) -> StowServer | None:
    """The running server; None when no port is set. Raises ConfigurationError when it must not or cannot listen.

    `finish_s`: how long requests that were begun may take to end once it is asked to stop.
    """
    if settings.stow_port == 0:
        return None
    tokens = read_tokens(settings.stow_tokens_file) if settings.stow_tokens_file else None
    if tokens is None and not is_loopback(settings.stow_host):
        raise ConfigurationError(
            "STOW_NEEDS_TOKENS",
            f"expected SOFTRAY_STOW_TOKENS_FILE with SOFTRAY_STOW_HOST={settings.stow_host}: "
            "without tokens, STOW-RS is received on a loopback address only",
        )
    if settings.stow_ca_file is not None and settings.stow_certificate_file is None:
        raise ConfigurationError(
            "STOW_CA_NEEDS_CERTIFICATE",
            "expected SOFTRAY_STOW_CERTIFICATE_FILE with SOFTRAY_STOW_CA_FILE: without TLS nobody shows a certificate",
        )
    terms = StowTerms(
        tokens,
        settings.max_associations,
        PartLimits(MAX_PARTS, settings.max_instance_bytes, settings.stow_max_request_bytes),
        settings.network_timeout_s,
        settings.max_associations_per_caller,
    )
    server = StowServer(create_stow_app(intake, terms), settings, settings.stow_port, finish_s)
    server.start()
    return server


class StowServer:
    """A listening server. `start` returns once it listens; `port` is then the real one (0 took a free one)."""

    def __init__(self, app: FastAPI, settings: Settings, port: int, finish_s: float = FINISH_S) -> None:
        self._address = (settings.stow_host, port)
        self._finish_s = finish_s
        self._config = uvicorn.Config(
            app,
            http=ImpatientConnection,
            ws="none",
            lifespan="off",
            log_config=None,  # our own handlers stay
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=settings.max_associations * _CONNECTIONS_PER_REQUEST,
            timeout_graceful_shutdown=max(1, round(finish_s)),
            ssl_certfile=settings.stow_certificate_file,
            ssl_keyfile=settings.stow_key_file,
            ssl_ca_certs=str(settings.stow_ca_file) if settings.stow_ca_file else None,
            ssl_cert_reqs=ssl.CERT_REQUIRED if settings.stow_ca_file else ssl.CERT_NONE,
            ssl_ciphers="ECDHE+AESGCM:ECDHE+CHACHA20",  # of TLS 1.2; those of 1.3 are all sound (BCP 195)
        )
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port = port

    def start(self) -> None:
        """Listen. Raises ConfigurationError when the address or the certificate cannot be had."""
        host, port = self._address
        try:
            self._config.load()
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                "CERTIFICATE_UNREADABLE",
                f"expected a certificate, its key and any CA file of STOW-RS ({type(error).__name__})",
            ) from error
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, port), family=family, backlog=128)
        except OSError as error:
            raise ConfigurationError(
                "ADDRESS_NOT_AVAILABLE", f"cannot listen on {host}:{port}: {error.strerror}"
            ) from error
        self.port = int(listener.getsockname()[1])
        self._server = uvicorn.Server(self._config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="stow-rs", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + STARTING_S
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        if not self._server.started:
            raise ConfigurationError("ADDRESS_NOT_AVAILABLE", f"STOW-RS does not answer on {host}:{port}")
        encrypted = self._config.ssl is not None
        mutual = self._config.ssl_ca_certs is not None
        log_event(logger, "stow_listening", host=host, port=self.port, encrypted=encrypted, client_certificates=mutual)
        if not encrypted and not is_loopback(host):
            log_event(logger, "stow_not_encrypted", level=logging.WARNING, host=host, port=self.port)

    def begin_to_stop(self) -> None:
        """Take no new requests from now on; `stop` waits for those that run."""
        if self._server is not None:
            self._server.should_exit = True

    def stop(self) -> None:
        """Take no new requests, let running ones end in their time, then break them off."""
        self.begin_to_stop()
        if self._thread is None:
            return
        self._thread.join(self._finish_s + 5)
        self._server = self._thread = None
        log_event(logger, "stow_stopped")

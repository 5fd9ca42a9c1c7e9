"""`serve`: the API process. `softray api` calls it, and so does `python -m service.api`."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from service.api.access_policy import AccessPolicy, access_policy, base_url
from service.api.api_server import run_until_stopped
from service.api.app import create_app
from service.api.first_start import print_first_start_token, when_the_registry_answers
from service.api.host_names import is_loopback
from service.audit.chain import append
from service.audit.processes import process_started, process_stopped
from service.database import make_engine, make_session_factory, transaction
from service.deadlines import deadlines_of
from service.errors import SoftrayError
from service.job_queue import JobQueue, make_celery
from service.logs import configure_logging, log_event
from service.settings import Settings
from service.site_file import load_site_file
from service.stop_signals import StopSignals
from service.store_settings import open_store
from service.web_connections import SmallRequestConnection

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 1000
"""More at a time are answered 503: each costs a file descriptor, of which the store and the registry need some."""


def serve(settings: Settings) -> None:
    """Answer on `api_host`:`api_port` until told to stop. The tables are `softray migrate`'s business.

    Raises ConfigurationError when the site file, a certificate or a secret cannot be read.
    """
    configure_logging(settings.log_level, settings.log_format)
    stop = StopSignals()
    routing = load_site_file(settings).routing()
    engine = make_engine(settings.effective_database_url)
    queue = JobQueue(make_celery(settings.effective_broker_url, settings.data_dir))
    sessions = make_session_factory(engine)
    access = access_policy(settings, sessions)
    app = create_app(sessions, open_store(settings), queue, routing, deadlines_of(settings), access=access)
    when_the_registry_answers(partial(_started, settings, sessions, access))
    if not access.encrypted and not is_loopback(settings.api_host):
        log_event(logger, "api_not_encrypted", level=logging.WARNING, host=settings.api_host)
    log_event(logger, "api_listening", host=settings.api_host, port=settings.api_port)
    try:
        run_until_stopped(server_config(app, settings), stop, within_s=settings.stop_within_s)
    finally:
        _stopped(sessions, access)
        queue.close()
        engine.dispose()


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How the application is served: who is slow is cut off, who comes in crowds is told so."""
    # log_config None: our own handlers stay; no access log: an address holds whatever somebody typed into it.
    return uvicorn.Config(
        app,
        http=SmallRequestConnection,
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.api_trusted_proxies),
        forwarded_allow_ips=settings.api_trusted_proxies or None,
        ssl_certfile=settings.api_certificate_file,
        ssl_keyfile=settings.api_key_file,
    )


def _started(settings: Settings, sessions: sessionmaker[Session], access: AccessPolicy) -> None:
    with transaction(sessions) as session:
        append(session, process_started("api", settings), now=datetime.now(UTC))
    if access.login_required:
        print_first_start_token(sessions, base_url(settings))


def _stopped(sessions: sessionmaker[Session], access: AccessPolicy) -> None:
    """Tell the trail; a registry that is away, or was never filled, is no reason to stay."""
    with suppress(SoftrayError, SQLAlchemyError):
        access.alerts.flush()
        with transaction(sessions) as session:
            append(session, process_stopped("api"), now=datetime.now(UTC))

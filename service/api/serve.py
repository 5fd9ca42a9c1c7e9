"""`serve`: the API process. `softray api` calls it, and so does `python -m service.api`."""

from __future__ import annotations

import logging

import uvicorn

from service.api.api_server import run_until_stopped
from service.api.app import create_app
from service.database import make_engine, make_session_factory
from service.deadlines import deadlines_of
from service.instance_store import InstanceStore
from service.job_queue import JobQueue, make_celery
from service.logs import configure_logging, log_event
from service.settings import Settings
from service.site_file import load_site_file
from service.stop_signals import StopSignals

logger = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Answer on `api_host`:`api_port` until told to stop. The tables are `softray migrate`'s business.

    Raises ConfigurationError when the site file cannot be read.
    """
    configure_logging(settings.log_level, settings.log_format)
    stop = StopSignals()
    routing = load_site_file(settings).routing()
    engine = make_engine(settings.effective_database_url)
    queue = JobQueue(make_celery(settings.effective_broker_url, settings.data_dir))
    app = create_app(
        make_session_factory(engine),
        InstanceStore(settings.instances_dir, settings.min_free_bytes),
        queue,
        routing,
        deadlines_of(settings),
    )
    log_event(logger, "api_listening", host=settings.api_host, port=settings.api_port)
    try:
        # log_config None: our own handlers stay; no access log: an address holds whatever somebody typed into it.
        config = uvicorn.Config(app, host=settings.api_host, port=settings.api_port, log_config=None, access_log=False)
        run_until_stopped(config, stop, within_s=settings.stop_within_s)
    finally:
        queue.close()
        engine.dispose()

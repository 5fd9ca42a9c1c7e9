"""The process `softray node` (`python -m dicom_node`): listens until SIGTERM or SIGINT, then stops in order."""

from __future__ import annotations

import gc
import logging
import sys
import threading

import pydicom.config
from sqlalchemy.exc import SQLAlchemyError

from dicom_node.admission import watch
from dicom_node.application_entity import AssociationLimits, Node, NodeAddress
from dicom_node.caller_hosts import CallerHosts
from dicom_node.callers import Callers
from dicom_node.commitment_registry import RegistryPromises
from dicom_node.intake import Afterwards, Intake, Limits
from dicom_node.site_policy import eligibility_policy
from dicom_node.stow_server import start_stow_server
from dicom_node.tls import server_context, tls_files
from dicom_node.urgency import UrgencyRules
from service.audit.chain import append
from service.audit.events import AuditEvent
from service.audit.processes import process_started, process_stopped
from service.database import make_engine, make_session_factory, require_current_schema, transaction
from service.deadlines import deadlines_of
from service.errors import ConfigurationError, RegistryUnavailableError
from service.job_queue import JobQueue, make_celery
from service.logs import configure_logging, log_event
from service.settings import Settings, load_settings
from service.site_file import load_site_file
from service.site_senders import priorities_of, quotas
from service.stop_signals import StopSignals
from service.store_settings import open_store

logger = logging.getLogger(__name__)

# A file that was being written for this long was being written by a process that is gone.
LEFTOVER_AFTER_S = 3600.0
SWITCH_INTERVAL_S = 0.0005
# Part of the time to stop that an image on its way in may take to arrive.
FINISH_PART = 0.8


def run(settings: Settings) -> None:
    """Run the node until a signal ends it.

    Raises ConfigurationError when it cannot listen or the database has another schema. A database that is away does not
    keep the node from starting: it answers 0xA700 until the database is back.
    """
    configure_logging(settings.log_level, settings.log_format)
    # Otherwise every UID of every proposed presentation context is matched with a pattern, only to warn about it.
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    stop = StopSignals()
    intake = build_intake(settings)
    node = Node(
        NodeAddress(settings.ae_title, settings.dicom_host, settings.dicom_port or None, settings.tls_port or None),
        AssociationLimits(
            settings.max_associations,
            settings.max_pdu,
            settings.network_timeout_s,
            settings.dimse_timeout_s,
            settings.acse_timeout_s,
            settings.max_associations_per_caller,
        ),
        intake,
        server_context(tls_files(settings)) if settings.tls_port else None,
        RegistryPromises(intake.sessions) if settings.commitment_scp else None,
    )
    stow = start_stow_server(settings, intake, finish_s=settings.stop_within_s * FINISH_PART)
    # What was loaded stays: looking through it for garbage after every few associations costs more than they do.
    gc.collect()
    gc.freeze()
    # A thread that comes back from the network or the disk, a hundred times an image, waits this long for one that
    # computes; Python's own 5 ms would make most of an image's time under load.
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    watch(intake.admission, stop.requested)
    stop.begin_work()
    stop.end_within(settings.stop_within_s)
    node.start()
    _record(intake, process_started("node", settings))
    stop.requested.wait()
    if stow is not None:
        stow.begin_to_stop()
    node.stop(finish_s=settings.stop_within_s * FINISH_PART)
    if stow is not None:
        stow.stop()
    _record(intake, process_stopped("node"))


def _record(intake: Intake, event: AuditEvent) -> None:
    """The node works without the registry, and so without this; its log says the same."""
    try:
        with transaction(intake.sessions) as session:
            append(session, event, now=intake.clock())
    except (RegistryUnavailableError, SQLAlchemyError) as error:
        log_event(logger, "start_or_stop_not_audited", level=logging.WARNING, reason=type(error).__name__)


def build_intake(settings: Settings) -> Intake:
    """The intake on the configured store, registry and queue."""
    site = load_site_file(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = make_engine(settings.effective_database_url)
    try:
        require_current_schema(engine)
    except RegistryUnavailableError as error:
        log_event(logger, "registry_unavailable", level=logging.WARNING, reason=error.message)
    sessions = make_session_factory(engine)
    store = open_store(settings)
    store.sweep_temporary(LEFTOVER_AFTER_S)
    return Intake(
        sessions=sessions,
        store=store,
        queue=JobQueue(make_celery(settings.effective_broker_url, settings.data_dir)),
        callers=Callers(
            sessions,
            accept_unknown=settings.accept_unknown_callers,
            hosts=CallerHosts() if settings.check_caller_host else None,
        ),
        policy=eligibility_policy(settings, site),
        urgency=UrgencyRules(priorities_of(site.sender), settings.ae_title, deadlines_of(settings)),
        after=Afterwards(notice_refusals=site.gate.refusal_notice == "report", sibling_wait_s=settings.sibling_wait_s),
        limits=Limits(settings.max_instance_bytes, settings.max_queue_depth, quotas(site.sender)),
        shutting_down=threading.Event(),
    )


def main() -> int:
    """Run with the settings of this process; the exit code."""
    try:
        run(load_settings())
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

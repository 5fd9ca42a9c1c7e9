"""Entry point of the worker processes: the Celery application, its three tasks, and the context they share.

`run_gpu` owns a device and samples; `run_network` delivers and sweeps, and never loads torch. Both consume with the
solo or threads pool: a prefork parent must not have touched CUDA, and only one thread may own the device.
"""

from __future__ import annotations

import logging
import os
import ssl
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from celery import Celery

from dicom_node.site_policy import derived_policy, eligibility_policy
from dicom_node.tls import client_context, tls_files
from service.audit.chain import append
from service.audit.processes import process_started
from service.database import make_engine, make_session_factory, require_current_schema, transaction
from service.job_queue import (
    DELIVER_TASK,
    GPU_QUEUE,
    INFER_TASK,
    NETWORK_QUEUE,
    NOTIFY_TASK,
    JobQueue,
    broker_folder,
    make_celery,
)
from service.logs import configure_logging, log_event
from service.registry.commitment_claims import CommitmentPolicy
from service.registry.deliveries import AT_ONCE_PER_NODE
from service.registry.remote_nodes import list_remote_nodes
from service.registry.result_kinds import ResultKind
from service.settings import Settings
from service.site_file import load_site_file
from service.stop_signals import StopSignals
from service.store_settings import open_store
from worker.audit_trail import audit_trail, start_audit_trail
from worker.commit import start_follow_up
from worker.consume import consume
from worker.context import RetryPolicy, WorkerContext
from worker.deliver import deliver
from worker.left_to_sweep import left_to_sweep
from worker.notify import notify
from worker.recall import start_recalls
from worker.sweep import start_sweeper
from worker.traces import start_traces
from worker.upkeep import Upkeep, UpkeepTerms

if TYPE_CHECKING:
    from worker.model_host import ModelHost

logger = logging.getLogger(__name__)

LEAST_DELIVERY_THREADS, MOST_DELIVERY_THREADS = 16, 64


def run_gpu(settings: Settings) -> None:
    """Load the model, run the golden check, then work on the `gpu` queue until told to stop.

    Raises before taking any job when the weights are missing or altered, or the golden phantom comes out differently.
    """
    configure_logging(settings.log_level, settings.log_format)
    stop = StopSignals()
    celery = make_celery(settings.effective_broker_url, settings.data_dir)
    context = build_context(settings, celery)
    _record_start("worker gpu", settings, context)
    host = model_host(settings)
    identity = host.start()
    log_event(
        logger,
        "model_ready",
        model=identity.name,
        version=identity.version,
        sha256=identity.sha256,
        sampler=identity.sampler,
        steps=identity.steps,
        device=identity.device,
        precision=identity.precision,
    )
    register_inference(celery, replace(context, on_hang=_end_process), host)
    # As many images in preparation as on the device keep it busy.
    threads = settings.infer_threads or (1 if host.batch_limit == 1 else 2 * host.batch_limit)
    try:
        consume(
            celery,
            GPU_QUEUE,
            pool="solo" if threads == 1 else "threads",
            threads=threads,
            stop=stop,
            work=context.work,
            within_s=settings.stop_within_s,
        )
    finally:
        host.stop()


def run_network(settings: Settings) -> None:
    """Deliver from the `network` queue and sweep the registry, until told to stop. Needs no torch."""
    configure_logging(settings.log_level, settings.log_format)
    stop = StopSignals()
    celery = make_celery(settings.effective_broker_url, settings.data_dir)
    context = build_context(settings, celery)
    _record_start("worker network", settings, context)
    register_delivery(celery, context)
    register_notice(celery, context)
    _warn_of_routes_that_lead_nowhere(context)
    stop_sweeping = start_sweeper(context, settings.sweep_interval_s)
    stop_following_up = start_follow_up(context, settings.sweep_interval_s)
    stop_recalls = start_recalls(context, settings.sweep_interval_s)
    stop_audit_trail = start_audit_trail(audit_trail(settings, context), settings.sweep_interval_s)
    stop_traces = start_traces(context, settings.traces_url, settings.sweep_interval_s)
    upkeep = Upkeep(context, _upkeep_terms(settings))
    try:
        consume(
            celery,
            NETWORK_QUEUE,
            pool="threads",
            threads=_delivery_threads(context),
            stop=stop,
            work=context.work,
            within_s=settings.stop_within_s,
        )
    finally:
        stop_sweeping.set()
        stop_following_up.set()
        stop_recalls.set()
        stop_audit_trail.set()
        stop_traces.set()
        upkeep.stop()
        context.associations.close()


def _upkeep_terms(settings: Settings) -> UpkeepTerms:
    folder_is_broker = settings.effective_broker_url.startswith("filesystem:")
    return UpkeepTerms(
        load_site_file(settings).retention,
        settings.scrub_rate,
        broker_folder(settings.data_dir) if folder_is_broker else None,
    )


def build_context(settings: Settings, celery: Celery) -> WorkerContext:
    """Everything the tasks need. Raises RegistryUnavailableError, or ConfigurationError when `migrate` has not run."""
    site = load_site_file(settings)
    engine = make_engine(settings.effective_database_url)
    require_current_schema(engine)
    return WorkerContext(
        sessions=make_session_factory(engine),
        store=open_store(settings),
        queue=JobQueue(celery),
        policy=derived_policy(settings),
        inference_retries=RetryPolicy(settings.max_attempts, settings.retry_base_s, settings.retry_max_s),
        delivery_retries=RetryPolicy(settings.delivery_max_attempts, settings.retry_base_s, settings.retry_max_s),
        service_version=version("softray"),
        ae_title=settings.ae_title,
        seed=settings.seed,
        spread_seeds=settings.spread_seeds,
        preset=settings.preset,
        lease_s=settings.lease_s,
        deadline_s=settings.inference_deadline_s,
        network_timeout_s=settings.network_timeout_s,
        results=site.results,
        routing=site.routing(),
        eligibility=eligibility_policy(settings, site),
        notice_refusals=site.gate.refusal_notice == "report",
        commitment=CommitmentPolicy(timeout_s=settings.commitment_timeout_s),
        client_tls=_client_tls(settings),
        web_ca_file=settings.web_ca_file,
    )


def _record_start(part: str, settings: Settings, context: WorkerContext) -> None:
    with transaction(context.sessions) as session:
        append(session, process_started(part, settings), now=context.clock())


def _delivery_threads(context: WorkerContext) -> int:
    """As many as all nodes together may hold, and some: however many are slow or silent, the others have theirs.

    A thread begins with the first message that needs it, and costs nothing while it waits.
    """
    with transaction(context.sessions, read_only=True) as session:
        nodes = sum(node.receives_results for node in list_remote_nodes(session))
    wanted = AT_ONCE_PER_NODE * (nodes + 2)
    return min(MOST_DELIVERY_THREADS, max(LEAST_DELIVERY_THREADS, wanted))


def _warn_of_routes_that_lead_nowhere(context: WorkerContext) -> None:
    """A route to a node that nobody added sends nothing, nor goes what no route names; nobody would notice."""
    made = context.results.wanted() | ({ResultKind.REFUSAL_NOTICE} if context.notice_refusals else set())
    for kind in context.routing.unrouted(made):
        log_event(logger, "no_route_for_results", level=logging.WARNING, kind=kind)
    with transaction(context.sessions, read_only=True) as session:
        known = {node.name for node in list_remote_nodes(session)}
    for name in context.routing.unknown_nodes(known):
        log_event(logger, "route_to_unknown_node", level=logging.WARNING, node=name)


def _client_tls(settings: Settings) -> ssl.SSLContext | None:
    """For nodes that want TLS; None where no certificate is configured, which such a node then names as its failure."""
    if settings.tls_certificate is None and settings.tls_private_key is None and settings.tls_ca is None:
        return None
    return client_context(tls_files(settings), check_host=settings.tls_check_host)


def model_host(settings: Settings) -> ModelHost:
    """The host for the configured model; nothing is loaded before its `start`."""
    from worker.model_host import ModelHost  # torch: only processes that compute load it

    return ModelHost(
        model=settings.model,
        weights_dirs=[settings.effective_weights_dir],
        preset=settings.preset,
        steps=settings.steps,
        device=settings.device,
        torch_threads=settings.torch_threads,
        max_batch=settings.max_batch,
        batch_window_s=settings.batch_window_ms / 1000,
    )


def register_inference(celery: Celery, context: WorkerContext, host: ModelHost) -> None:
    """Bind the task that other processes know as `softray.infer` to this context."""
    from worker.infer import infer

    def run(job_id: str) -> None:
        if context.work.stopping:  # for another worker, or for this one once it is back
            context.queue.announce_inference(job_id)
            return
        with left_to_sweep(INFER_TASK, job_id):
            infer(job_id, context, host)

    celery.task(name=INFER_TASK)(run)


def register_delivery(celery: Celery, context: WorkerContext) -> None:
    """Bind the task that other processes know as `softray.deliver` to this context."""

    def run(delivery_id: int) -> None:
        if context.work.stopping:
            context.queue.announce_delivery(delivery_id)
            return
        with left_to_sweep(DELIVER_TASK, delivery_id):
            deliver(delivery_id, context)

    celery.task(name=DELIVER_TASK)(run)


def register_notice(celery: Celery, context: WorkerContext) -> None:
    """Bind the task that other processes know as `softray.notify` to this context."""

    def run(job_id: str) -> None:
        if context.work.stopping:
            context.queue.announce_notice(job_id)
            return
        with left_to_sweep(NOTIFY_TASK, job_id):
            notify(job_id, context)

    celery.task(name=NOTIFY_TASK)(run)


def _end_process() -> None:
    """A call into the device that does not return cannot be broken off; a new process gets a new device context."""
    log_event(logger, "device_hangs", level=logging.CRITICAL)
    logging.shutdown()
    os._exit(70)

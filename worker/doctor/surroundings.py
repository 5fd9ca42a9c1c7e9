"""What lies around softray: destinations, certificates, weights, ports."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from dicom_node.certificate_dates import validity
from dicom_node.peer import Peer
from dicom_node.store_scu import echo
from dicom_node.tls import client_context, tls_files
from service.database import transaction
from service.findings import Finding, note, ok, problem
from service.registry.remote_nodes import RemoteNodeRow, list_remote_nodes
from worker.doctor.examination import Check, Patient

TIMEOUT_S = 5.0
SOON = timedelta(days=30)


def _destinations(patient: Patient) -> Iterator[Finding]:
    with transaction(patient.sessions, read_only=True) as session:
        nodes = [node for node in list_remote_nodes(session) if node.receives_results]
    if not nodes:
        yield note("destinations", "NO_DESTINATION", "no remote node receives results", do="softray remote add")
    for node in nodes:
        yield _answers(node, patient)


def _answers(node: RemoteNodeRow, patient: Patient) -> Finding:
    if node.url is not None:
        return note(
            node.name, "NOT_ASKED", "a DICOMweb service has no C-ECHO", do=f"softray send FILE --to {node.name}"
        )
    settings = patient.settings
    has_tls = settings.tls_certificate is not None
    tls = client_context(tls_files(settings), check_host=settings.tls_check_host) if node.tls and has_tls else None
    if node.tls and tls is None:
        return problem(
            node.name,
            "TLS_NOT_CONFIGURED",
            "wants TLS, and softray has no certificate",
            means="nothing is sent there",
            do="SOFTRAY_TLS_CERTIFICATE, SOFTRAY_TLS_PRIVATE_KEY, SOFTRAY_TLS_CA",
        )
    peer = Peer(node.ae_title, node.host, node.port, tls)
    answer = echo(peer, calling_ae_title=settings.ae_title, timeout_s=TIMEOUT_S)
    if answer.ok:
        return ok(node.name, f"{node.ae_title} at {node.host}:{node.port} answers C-ECHO")
    return problem(
        node.name,
        "NO_ECHO",
        f"{node.ae_title} at {node.host}:{node.port}: {answer.detail}",
        means="results for it wait and are sent when it answers",
        do=f"is it up, does it know {settings.ae_title}? are host, port and firewall right",
    )


def _certificates(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    files = [settings.tls_certificate, settings.tls_ca, settings.stow_certificate_file, settings.web_ca_file]
    named = [file for file in files if file is not None]
    for file in named:
        yield _dates(file, patient)
    if not named:
        yield ok("certificates", "none in use")


def _dates(file: Path, patient: Patient) -> Finding:
    try:
        dates = validity(file.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        return problem(
            "certificates",
            "CERTIFICATE_UNREADABLE",
            f"{file}: {error}",
            means="encrypted connections fail",
            do="put a PEM certificate there",
        )
    until = f"{dates.not_after:%Y-%m-%d}"
    if dates.not_before <= patient.now <= dates.not_after - SOON:
        return ok("certificates", f"{file} until {until}")
    expired = not dates.not_before <= patient.now <= dates.not_after
    return problem(
        "certificates",
        "CERTIFICATE_EXPIRED" if expired else "CERTIFICATE_EXPIRES",
        f"{file}: valid {dates.not_before:%Y-%m-%d} to {until}",
        means="encrypted connections fail" if expired else "encrypted connections will fail in less than 30 days",
        do="renew it and restart softray",
    )


def _weights(patient: Patient) -> Iterator[Finding]:
    try:
        from models.errors import ModelsError
        from models.weights_admin import verify_model
    except ImportError as error:
        yield note("weights", "NOT_CHECKED_HERE", f"{error.name} is not installed: no GPU worker runs here")
        return
    try:
        files = verify_model(patient.settings.model, [patient.settings.effective_weights_dir])
    except ModelsError as error:
        yield problem("weights", error.code, str(error), means="no GPU worker starts", do="softray weights list")
        return
    for file in files:
        if not file.ok:
            found = file.found_sha256[:12] or "no file"
            yield problem(
                "weights",
                "WEIGHTS_ALTERED",
                f"{file.file}: expected sha256 {file.expected_sha256[:12]}, found {found}",
                means="no GPU worker starts with it",
                do="install or import the weights again",
            )
    if all(file.ok for file in files):
        yield ok("weights", f"{len(files)} files as their manifest says")


def _ports(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    for what, host, port in (
        ("DICOM node", settings.dicom_host, settings.dicom_port),
        ("DICOM node over TLS", settings.dicom_host, settings.tls_port),
        ("STOW-RS", settings.stow_host, settings.stow_port),
        ("admin API", settings.api_host, settings.api_port),
    ):
        if not port:
            continue
        reached = "127.0.0.1" if host in ("0.0.0.0", "") else host
        try:
            socket.create_connection((reached, port), timeout=TIMEOUT_S).close()
        except OSError as error:
            yield note(
                "ports", "NOT_LISTENING", f"{what} at {reached}:{port}: {error.strerror or error}", do="start it"
            )
        else:
            yield ok("ports", f"{what} listens at {reached}:{port}")


CHECKS: dict[str, Check] = {
    "destinations": _destinations,
    "certificates": _certificates,
    "weights": _weights,
    "ports": _ports,
}

"""Jobs and deliveries that stand still."""

from __future__ import annotations

from collections.abc import Iterator

from service.database import transaction
from service.findings import Finding, note, ok, problem
from service.registry.due_jobs import due_jobs
from service.registry.job_states import JobPurpose
from service.registry.standstill import standstill
from worker.doctor.examination import Check, Patient

_AT_ONCE = 1000


def _jobs(patient: Patient) -> Iterator[Finding]:
    with transaction(patient.sessions, read_only=True) as session:
        found = standstill(session, now=patient.now)
    if found.dead_leases:
        yield problem(
            "jobs",
            "LEASES_EXPIRED",
            f"{found.dead_leases} jobs are in the hands of workers that have been silent for minutes",
            means="the sweep of the network worker, which takes them back, does not run",
            do="start the network worker, or softray doctor --repair",
            repaired=_take_back(patient) if patient.repair else "",
        )
    if found.due:
        yield problem(
            "jobs",
            "JOBS_STAND_STILL",
            f"{found.due} jobs are due for a quarter of an hour and nobody takes them",
            means="no GPU worker runs, or it is too slow for what comes",
            do="start one (softray worker gpu), and read its log",
        )
    if found.without_destination:
        yield problem(
            "jobs",
            "NO_DESTINATION",
            f"{found.without_destination} results have nowhere to go",
            means="no remote node receives them, or no route lets them out",
            do="softray remote list; the [[route]] of the site file",
        )
    if found.undelivered:
        yield problem(
            "deliveries",
            "DELIVERIES_STAND_STILL",
            f"{found.undelivered} deliveries have waited for more than an hour",
            means="their node does not answer, or no network worker runs",
            do="see the node's line below; softray worker network",
        )
    if found.failed:
        yield note("jobs", "JOBS_FAILED", f"{found.failed} jobs have failed", do="softray jobs --state FAILED")
    if not (found.dead_leases or found.due or found.without_destination or found.undelivered):
        yield ok("jobs", "none stands still")


def _take_back(patient: Patient) -> str:
    taken = 0
    with transaction(patient.sessions) as session:
        for purpose in JobPurpose:
            taken += len(due_jobs(session, patient.now, _AT_ONCE, purpose=purpose))
    return f"taken back; {taken} jobs are due, and the next sweep announces them"


CHECKS: dict[str, Check] = {"jobs": _jobs}

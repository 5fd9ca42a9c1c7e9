"""Cost of one image in the registry with many finished, or many waiting ones in it, on SQLite and PostgreSQL.

Times what an image passes through (intake, claim, renewal, result, delivery) and what watches it (sweep, queue depth,
metrics, pages of the API); prints ratios and the plans of statements that grow.
Run: python -m benchmarks.registry_scale [--finished 1000 10000 100000] [--waiting 100 10000] [--repeats N]
"""

from __future__ import annotations

import argparse
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.finished_rows import DX, EXPLICIT, fill, fill_waiting
from benchmarks.statement_times import StatementTimes, plan_of
from service.api.metrics import read_metrics
from service.database import make_engine, make_session_factory, transaction, upgrade
from service.registry import deliveries, delivery_queue, due_jobs, instances, jobs, next_job, queries, remote_nodes
from service.registry.claims import DerivedFacts, ResultFacts
from service.registry.instances import InstanceFacts, Verdict
from service.registry.job_search import JobFilter
from service.registry.job_states import JobPurpose, JobState
from service.registry.result_kinds import ResultKind
from service.registry.tables import RemoteNode
from service.routing import Routing
from tests.peers.postgres import fresh_database, postgres_programs, running_postgres

console = Console(width=150)
GROWS = 2.0
"""A statement is explained when it takes so many times as long with the most rows as with the fewest."""
WORTH_MS = 0.3
ROW_IDS = 1_000_000
"""Each filling begins at another multiple of this, behind what was measured before it."""
OF_ONE_IMAGE = (
    "intake: may it come, is it known",
    "intake: record it, queue its job",
    "claim",
    "renew",
    "record the result",
    "deliveries to announce",
    "delivery: claim",
    "delivery: record",
    "delivery: next",
)


class Site:
    """A registry and the operations on it, each a transaction as the service makes it."""

    def __init__(self, url: str) -> None:
        upgrade(url)
        self.engine: Engine = make_engine(url)
        self.sessions: sessionmaker[Session] = make_session_factory(self.engine)
        with self.sessions.begin() as session:
            remote_nodes.add_remote_node(
                session, name="archive", ae_title="ARCHIVE", host="127.0.0.1", port=104, may_send=True,
                receives_results=True, now=_now(),
            )  # fmt: skip
        with self.sessions() as session:
            self.node_id = session.scalars(select(RemoteNode.id)).one()

    def one_image(self, time_of: Callable[[str, Callable[[Session], object]], object]) -> None:
        """One image on its whole way; `time_of(name, work)` runs `work` in a transaction and gives what it gave."""
        uid = f"2.25.{uuid.uuid4().int}"
        time_of("intake: may it come, is it known", lambda s: self._admit(s, uid))
        recorded = time_of("intake: record it, queue its job", lambda s: self._record(s, uid))
        assert isinstance(recorded, instances.Recorded)
        assert recorded.job_id is not None
        hinted = recorded.job_id
        claim = time_of(
            "claim",
            lambda s: next_job.claim_next(s, owner="benchmark", lease_s=30, now=_now(), chance=0.5, hinted=hinted),
        )
        assert isinstance(claim, jobs.Claim)
        time_of("renew", lambda s: jobs.renew(s, claim, lease_s=30, step=1, total_steps=1, now=_now()))
        time_of(
            "record the result",
            lambda s: jobs.record_derived(s, claim, _derived(claim.sop_instance_uid), now=_now(), routing=Routing()),
        )
        waiting = time_of(
            "deliveries to announce", lambda s: delivery_queue.pending_deliveries(s, claim.job_id, now=_now())
        )
        assert isinstance(waiting, list)
        [delivery_id] = waiting
        sending = time_of(
            "delivery: claim",
            lambda s: delivery_queue.claim_next_delivery(s, delivery_id, owner="benchmark", lease_s=30, now=_now()),
        )
        assert isinstance(sending, deliveries.DeliveryClaim)
        time_of("delivery: record", lambda s: deliveries.delivery_sent(s, sending, status=0, now=_now()))
        time_of("delivery: next", lambda s: delivery_queue.next_delivery(s, self.node_id, now=_now()))

    def watchers(self, time_of: Callable[[str, Callable[[Session], object]], object]) -> None:
        """What looks at the registry from time to time."""
        time_of("sweep", self._sweep)
        time_of("queue depth", lambda s: jobs.queue_depth(s, 10_000))
        time_of("/metrics", read_metrics)
        time_of("GET /api/v1/jobs, first page", lambda s: queries.list_jobs(s, limit=50))
        time_of(
            "GET /api/v1/jobs?state=FAILED", lambda s: queries.list_jobs(s, JobFilter(state=JobState.FAILED), limit=50)
        )
        time_of("GET /api/v1/studies, first page", lambda s: queries.list_studies(s, limit=50))
        time_of("counts by state", queries.counts_by_state)

    def _admit(self, session: Session, uid: str) -> None:
        remote_nodes.allowed_callers(session)
        jobs.queue_depth(session, 10_000)
        instances.find_stored(session, uid)

    def _record(self, session: Session, uid: str) -> instances.Recorded:
        facts = InstanceFacts(
            study_instance_uid=f"{uid}.1",
            series_instance_uid=f"{uid}.2",
            sop_instance_uid=uid,
            sop_class_uid=DX,
            transfer_syntax_uid=EXPLICIT,
            modality="DX",
            calling_ae_title="MODALITY1",
            body_part="CHEST",
        )
        return instances.record_instance(
            session, facts, Verdict(), path=f"source/{uid}", sha256="0" * 64, size_bytes=1, now=_now()
        )

    def _sweep(self, session: Session) -> None:
        delivery_queue.ensure_deliveries(session, now=_now(), routing=Routing())
        due_jobs.due_jobs(session, now=_now(), limit=50)
        due_jobs.due_jobs(session, now=_now(), limit=50, purpose=JobPurpose.REFUSAL_NOTICE)
        delivery_queue.due_deliveries(session, now=_now(), limit=50)


def _derived(uid: str) -> DerivedFacts:
    result = ResultFacts(ResultKind.SOFT_TISSUE, DX, f"{uid}.3", f"{uid}.4", f"derived/{uid}", "1" * 64)
    return DerivedFacts((result,), "preview/a", "preview/b", "preview/c", "benchmark", "2" * 64, "cpu")


def _now() -> datetime:
    return datetime.now(UTC)


class Measured:
    """Milliseconds of each operation and of each statement, for one number of rows; of all repeats the fastest, which
    what else the machine does disturbs least."""

    def __init__(self, site: Site, repeats: int) -> None:
        self._runs: dict[str, list[float]] = {}
        self._sessions = site.sessions
        self.statements = StatementTimes()
        site.one_image(lambda name, work: self._in_transaction(work))  # what is compiled and opened once
        with self.statements.watching(site.engine):
            for _ in range(repeats):
                site.one_image(self._time_of)
                site.watchers(self._time_of)

    def milliseconds(self) -> dict[str, float]:
        """By operation."""
        return {name: 1000 * min(seconds) for name, seconds in self._runs.items()}

    def statement_milliseconds(self) -> dict[str, float]:
        """By statement."""
        return {text: 1000 * min(seconds) for text, seconds in self.statements.seconds.items()}

    def _time_of(self, name: str, work: Callable[[Session], object]) -> object:
        started = time.perf_counter()
        found = self._in_transaction(work)
        self._runs.setdefault(name, []).append(time.perf_counter() - started)
        return found

    def _in_transaction(self, work: Callable[[Session], object]) -> object:
        with transaction(self._sessions) as session:
            return work(session)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finished", type=int, nargs="+", default=[1000, 10_000, 100_000], help="finished images")
    parser.add_argument("--waiting", type=int, nargs="+", default=[100, 10_000], help="waiting, beside the finished")
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--database", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    for database in options.database:
        with tempfile.TemporaryDirectory() as name, ExitStack() as servers:
            if database == "sqlite":
                url = f"sqlite:///{Path(name) / 'registry.sqlite3'}"
            else:
                programs = postgres_programs()
                if programs is None:
                    raise SystemExit("PostgreSQL (initdb) is not installed (make peers)")
                url = servers.enter_context(
                    fresh_database(servers.enter_context(running_postgres(programs, durable=True)))
                )
            _measure(database, Site(url), sorted(options.finished), sorted(options.waiting), options.repeats)


def _measure(database: str, site: Site, finished: list[int], waiting: list[int], repeats: int) -> None:
    row_ids = iter(range(ROW_IDS, 1000 * ROW_IDS, ROW_IDS))

    def fill_up(sizes: list[int], fill_between: Callable[[int, int], None]) -> list[Measured]:
        measured, filled = [], 0
        for size in sizes:
            first = next(row_ids)
            fill_between(first + filled, first + size - 1)
            filled = size
            measured.append(Measured(site, repeats))
        return measured

    done = fill_up(finished, lambda first, last: fill(site.engine, first, last, node_id=site.node_id))
    _print_operations(f"{database}, finished images", finished, done, repeats)
    _print_growing_statements(site, done)
    more = fill_up(
        waiting, lambda first, last: fill_waiting(site.engine, first, last, node_id=site.node_id, now=_now())
    )
    _print_operations(f"{database}, waiting images beside {finished[-1]:,} finished", waiting, more, repeats)
    _print_growing_statements(site, more)
    site.engine.dispose()


def _print_operations(title: str, sizes: list[int], measured: list[Measured], repeats: int) -> None:
    times = [one.milliseconds() for one in measured]
    table = Table("operation", *(f"ms at {size:,}" for size in sizes), f"ratio {sizes[-1]:,} : {sizes[0]:,}")
    for name in times[0]:
        table.add_row(name, *(f"{at_size[name]:.2f}" for at_size in times), f"{times[-1][name] / times[0][name]:.2f}")
    image = [sum(ms for name, ms in at_size.items() if name in OF_ONE_IMAGE) for at_size in times]
    table.add_row("[bold]one image[/bold]", *(f"{ms:.2f}" for ms in image), f"{image[-1] / image[0]:.2f}")
    console.print(f"\n[bold]{title}[/bold], the fastest of {repeats} runs of each transaction, commit included")
    console.print(table)


def _print_growing_statements(site: Site, measured: list[Measured]) -> None:
    first, last = measured[0].statement_milliseconds(), measured[-1].statement_milliseconds()
    growing = [text for text in last if last[text] > WORTH_MS and last[text] > GROWS * first.get(text, last[text])]
    if not growing:
        console.print(f"no statement takes more than {GROWS:g} times as long and {WORTH_MS:g} ms")
    for text in sorted(growing, key=lambda text: -last[text]):
        console.print(f"\n{first[text]:.2f} -> {last[text]:.2f} ms: {' '.join(text.split())}", highlight=False)
        if text.lstrip().startswith(("SELECT", "UPDATE", "INSERT", "DELETE")):
            for line in plan_of(site.engine, text, measured[-1].statements.parameters[text]):
                console.print(f"    {line}", highlight=False)


if __name__ == "__main__":
    main()

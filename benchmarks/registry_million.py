"""What an administrator asks of a registry with 1,000,000 images, over HTTP, on PostgreSQL: medians and plans.

Every request is made as a browser or a script makes it, through the whole application (gate, routes, answer).
Run: python -m benchmarks.registry_million [--images N] [--repeats N] [--plans]
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi.testclient import TestClient
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.finished_rows import FIRST, WEIGHTS, fill
from benchmarks.statement_times import StatementTimes, plan_of
from service.access.entry import Entry
from service.api.access_policy import AccessPolicy
from service.api.app import create_app
from service.api.host_names import host_names
from service.audit.alerts import Alerts
from service.database import make_engine, make_session_factory, transaction, upgrade
from service.instance_store import InstanceStore
from service.job_queue import JobQueue, make_celery
from service.registry.remote_nodes import add_remote_node
from service.registry.tables import RemoteNode
from tests.peers.postgres import fresh_database, postgres_programs, running_postgres

console = Console(width=150)
BAR_MS = 100.0
_PART = 20_000
_PAGE = 50


@dataclass
class Site:
    """The application over a filled registry."""

    engine: Engine
    client: TestClient
    images: int
    repeats: int
    plans: list[str] = field(default_factory=list)

    def ask(self, name: str, path: str, **wanted: str) -> tuple[str, float, float, int]:
        """The request's name, its median and slowest in ms, and the number of items in the last answer."""
        times = []
        watched = StatementTimes()
        for _ in range(self.repeats):
            begun = time.perf_counter()
            with watched.watching(self.engine):
                answer = self.client.get(path, params=wanted)
            times.append(1000 * (time.perf_counter() - begun))
            if answer.status_code != 200:
                raise RuntimeError(f"{path}: expected 200, found {answer.status_code}: {answer.text[:200]}")
        slowest = max(watched.seconds, key=lambda statement: statistics.median(watched.seconds[statement]))
        self.plans += ["", name, *plan_of(self.engine, slowest, watched.parameters[slowest])]
        items = answer.json().get("items", []) if path.startswith("/api/") else []
        return name, statistics.median(times), max(times), len(items)

    def questions(self) -> list[tuple[str, float, float, int]]:
        """Lists, filters and pages."""
        middle = self.images // 2
        then = (FIRST + timedelta(seconds=10 * middle)).isoformat()
        day_later = (FIRST + timedelta(seconds=10 * middle, days=1)).isoformat()
        deep = self.client.get("/api/v1/jobs", params={"until": then, "limit": "1"}).json()["next_cursor"]
        deep_study = self.client.get("/api/v1/studies", params={"until": then, "limit": "1"}).json()["next_cursor"]
        [job] = self.client.get("/api/v1/jobs", params={"until": then, "limit": "1"}).json()["items"]
        study = job["study_instance_uid"]
        return [
            self.ask("jobs, first page", "/api/v1/jobs"),
            self.ask("jobs, a page in the middle", "/api/v1/jobs", cursor=deep),
            self.ask("jobs, 500 of them", "/api/v1/jobs", limit="500"),
            self.ask("jobs that failed", "/api/v1/jobs", state="FAILED"),
            self.ask("jobs that failed, from the middle", "/api/v1/jobs", state="FAILED", cursor=deep),
            self.ask("jobs that were delivered", "/api/v1/jobs", state="DELIVERED"),
            self.ask("jobs that wait (none)", "/api/v1/jobs", state="QUEUED"),
            self.ask("jobs by reason", "/api/v1/jobs", reason="DECODE_FAILED"),
            self.ask("jobs of an AE title", "/api/v1/jobs", calling_ae_title="MODALITY3"),
            self.ask("jobs of an AE title that sent none", "/api/v1/jobs", calling_ae_title="NOBODY"),
            self.ask("failed jobs of an AE title", "/api/v1/jobs", calling_ae_title="MODALITY3", state="FAILED"),
            self.ask("jobs of a study", "/api/v1/jobs", study_instance_uid=study),
            self.ask("jobs of a source image", "/api/v1/jobs", sop_instance_uid=job["sop_instance_uid"]),
            self.ask("jobs of one model's weights", "/api/v1/jobs", model_sha256=WEIGHTS),
            self.ask("jobs of weights never used", "/api/v1/jobs", model_sha256="0" * 64),
            self.ask("jobs of a day", "/api/v1/jobs", since=then, until=day_later),
            self.ask("one job", f"/api/v1/jobs/{job['job_id']}"),
            self.ask("studies, first page", "/api/v1/studies"),
            self.ask("studies, a page in the middle", "/api/v1/studies", cursor=deep_study),
            self.ask("studies of a day", "/api/v1/studies", since=then, until=day_later),
            self.ask("one study", f"/api/v1/studies/{study}"),
            self.ask("refused objects", "/api/v1/rejections"),
            self.ask("images not processed", "/api/v1/not-processed"),
            self.ask("the first page, as HTML", "/"),
        ]


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--plans", action="store_true", help="print the plan of each request's slowest statement")
    options = parser.parse_args()
    programs = postgres_programs()
    if programs is None:
        raise SystemExit("not run: PostgreSQL is not installed (make peers)")
    with ExitStack() as stack:
        server = stack.enter_context(running_postgres(programs))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = stack.enter_context(fresh_database(server))
        upgrade(url)
        engine = make_engine(url)
        sessions = make_session_factory(engine)
        _fill(engine, sessions, options.images)
        site = Site(engine, _client(sessions, folder), options.images, options.repeats)
        answers = site.questions()
        engine.dispose()
    _print(answers, site, with_plans=options.plans)


def _fill(engine: Engine, sessions: sessionmaker[Session], images: int) -> None:
    begun = time.monotonic()
    with transaction(sessions) as session:
        add_remote_node(
            session, name="archive", ae_title="ARCHIVE", host="127.0.0.1", port=104, may_send=True,
            receives_results=True, now=FIRST,
        )  # fmt: skip
    with transaction(sessions, read_only=True) as session:
        node_id = session.scalars(select(RemoteNode.id)).one()
    for first in range(1, images + 1, _PART):
        last = min(images, first + _PART - 1)
        fill(engine, first, last, node_id=node_id, analyze=last == images)
        console.print(f"{last:,} of {images:,} images in the registry, {time.monotonic() - begun:.0f} s", end="\r")
    console.print()


def _client(sessions: sessionmaker[Session], folder: Path) -> TestClient:
    access = AccessPolicy(
        entry=Entry(sessions), alerts=Alerts(sessions), hosts=host_names(["testserver"]), login_required=False
    )
    queue = JobQueue(make_celery(f"filesystem://{folder}", folder))
    return TestClient(create_app(sessions, InstanceStore(folder / "instances", 0), queue, access=access))


def _print(answers: list[tuple[str, float, float, int]], site: Site, *, with_plans: bool) -> None:
    table = Table("request", "median ms", "slowest ms", "items", title=f"{site.images:,} images, PostgreSQL")
    for name, median, slowest, items in answers:
        table.add_row(name, f"{median:.1f}", f"{slowest:.1f}", str(items) if items else "")
    console.print(table)
    worst = max((answer for answer in answers if answer[3] <= _PAGE), key=lambda answer: answer[1])
    met = "met" if worst[1] < BAR_MS else "MISSED"
    console.print(f"slowest median of pages of {_PAGE}: {worst[1]:.1f} ms ({worst[0]}); bar {BAR_MS:.0f} ms: {met}")
    if with_plans:
        console.print("\n".join(site.plans), markup=False)


if __name__ == "__main__":
    main()

"""What the routes work with, handed in once by `create_app`; nothing in here reads a setting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Protocol, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from sqlalchemy.orm import Session, sessionmaker

from service.api.paging import Page
from service.api.problems import ProblemError
from service.database import transaction
from service.instance_store import InstanceStore
from service.priorities import NO_DEADLINES, Deadlines
from service.registry.jobs import EVERYWHERE
from service.routing import Routing


class Queue(Protocol):
    """The part of `service.job_queue.JobQueue` that the API needs; none of it raises."""

    def announce_inference(self, job_id: str) -> bool:
        """Tell the GPU workers that a job is due; False: the sweep will."""

    def announce_delivery(self, delivery_id: int) -> bool:
        """Tell the network workers that a delivery is due; False: the sweep will."""

    def waiting(self, queue: str) -> int | None:
        """Messages that wait in `queue`; None when the broker does not answer."""


@dataclass(frozen=True)
class Parts:
    """Everything behind the API; `routing`: which results go where; `deadlines`: when jobs are late."""

    sessions: sessionmaker[Session]
    store: InstanceStore
    queue: Queue
    routing: Routing = EVERYWHERE
    deadlines: Deadlines = NO_DEADLINES


def parts(request: Request) -> Parts:
    """The parts that `create_app` was given."""
    return cast(Parts, request.app.state.parts)


def read_session(request: Request) -> Iterator[Session]:
    """A read-only transaction for one request: what it shows is of one moment."""
    with transaction(parts(request).sessions, read_only=True) as session:
        yield session


def from_our_own_page(request: Request) -> None:
    """Refuse a request that changes something when a browser says that another site's page made it.

    A browser sends its cookies along whoever's page makes it, and could otherwise be made to press softray's buttons.
    Programs that are not browsers send neither header and are served.
    """
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower()
    if foreign or request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ProblemError(403, "CROSS_SITE_REQUEST", "only softray's own pages may do this")


def now() -> datetime:
    """The current time, UTC."""
    return datetime.now(UTC)


PartsOfApp = Annotated[Parts, Depends(parts)]
ReadSession = Annotated[Session, Depends(read_session)]
PageWanted = Annotated[Page, Depends()]

"""`create_app`: the FastAPI application with its routers, pages, error answers and response headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy.orm import Session, sessionmaker

from service.api import health, job_orders, jobs, metrics, rejections, remote_nodes, studies, version
from service.api.dependencies import Parts, Queue
from service.api.openapi import describe
from service.api.problems import add_problem_handlers
from service.dashboard import pages
from service.instance_store import InstanceStore
from service.priorities import NO_DEADLINES, Deadlines
from service.registry.jobs import EVERYWHERE
from service.routing import Routing

DESCRIPTION = """
What softray received, what became of it, and why.

Every error has the same body: `code` for programs, `message` for people. Times are UTC. No answer holds a patient's
name, ID, birth date, study date or accession number.
"""

# Everything comes from this server; no page may be framed by another site, no picture of a patient stays in a cache.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def create_app(
    sessions: sessionmaker[Session],
    store: InstanceStore,
    queue: Queue,
    routing: Routing = EVERYWHERE,
    deadlines: Deadlines = NO_DEADLINES,
) -> FastAPI:
    """The admin API and its pages over the given parts."""
    # FastAPI's own documentation pages load scripts from the internet, which a reading room does not have.
    app = FastAPI(title="softray", version=version.release(), description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.parts = Parts(sessions=sessions, store=store, queue=queue, routing=routing, deadlines=deadlines)
    for noun in (health, metrics, studies, jobs, job_orders, rejections, remote_nodes, version):
        app.include_router(noun.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(packages=[("service.dashboard", "static")]), name="static")
    add_problem_handlers(app)
    describe(app)

    @app.middleware("http")
    async def _headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app

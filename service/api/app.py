"""`create_app`: the FastAPI application with its routers, pages, error answers, gate and response headers."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from sqlalchemy.orm import Session, sessionmaker

from service.api import health, metrics
from service.api.access_gate import AccessGate
from service.api.access_policy import AccessPolicy
from service.api.dependencies import Parts, Queue
from service.api.openapi import describe
from service.api.problems import add_problem_handlers
from service.api.request_rate import RequestRate
from service.api.security_headers import SecurityHeaders
from service.api.v1 import version
from service.api.v1.routes import v1_router
from service.dashboard import images, lists, login, now, pages
from service.instance_store import InstanceStore
from service.priorities import NO_DEADLINES, Deadlines
from service.registry.jobs import EVERYWHERE
from service.routing import Routing

DESCRIPTION = """
What softray received, what became of it, and why.

Every error has the same body: `code` for programs, `message` for people. Times are UTC. No answer holds a patient's
name, ID, birth date, study date or accession number.
"""


def create_app(
    sessions: sessionmaker[Session],
    store: InstanceStore,
    queue: Queue,
    routing: Routing = EVERYWHERE,
    deadlines: Deadlines = NO_DEADLINES,
    *,
    access: AccessPolicy,
) -> FastAPI:
    """The admin API and its pages over the given parts; `access` decides who gets to them."""
    # FastAPI's own documentation pages load scripts from the internet, which a reading room does not have.
    app = FastAPI(title="softray", version=version.release(), description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.parts = Parts(sessions=sessions, store=store, queue=queue, routing=routing, deadlines=deadlines)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(v1_router())
    app.include_router(pages.router)
    app.include_router(now.router)
    app.include_router(lists.router)
    app.include_router(images.router)
    app.include_router(login.router)
    app.mount("/static", StaticFiles(packages=[("service.dashboard", "static")]), name="static")
    add_problem_handlers(app)
    describe(app)

    # The last one added is the outermost: refusals of the gate carry the headers as well.
    app.add_middleware(AccessGate, policy=access)
    app.add_middleware(RequestRate, per_s=access.requests_per_s)
    app.add_middleware(SecurityHeaders, encrypted=access.encrypted)
    return app

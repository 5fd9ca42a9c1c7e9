"""The first start: nobody can log in yet, so a token that is good for one login within an hour is printed, once."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from service.access.roles import Role
from service.access.tokens import FIRST_START, create_first_start_token, list_tokens
from service.access.users import any_admin
from service.audit.chain import HEAD_ID, append
from service.audit.events import Actor, ActorKind, AuditEvent, AuditKind
from service.database import transaction
from service.errors import SoftrayError
from service.logs import log_event
from service.registry.audit_tables import AuditHead

logger = logging.getLogger(__name__)

AGAIN_AFTER_S = 5.0
JUST_PRINTED = timedelta(seconds=60)


def print_first_start_token(sessions: sessionmaker[Session], address: str) -> bool:
    """Print a token on standard error if nobody has a way in; True: it was printed. Only its hash is kept.

    Of several processes that start together, one prints.
    """
    now = datetime.now(UTC)
    with transaction(sessions) as session:
        session.execute(select(AuditHead.seq).where(AuditHead.id == HEAD_ID).with_for_update())  # one after the other
        tokens = [token for token in list_tokens(session) if token.is_live(now)]
        if any_admin(session) or any(t.role is Role.ADMIN and t.name != FIRST_START for t in tokens):
            return False
        if any(t.name == FIRST_START and now - t.created_at < JUST_PRINTED for t in tokens):
            return False
        secret = create_first_start_token(session, now=now)
        by = Actor(ActorKind.PROCESS, "softray api")
        append(
            session, AuditEvent(AuditKind.TOKEN_CREATED, by, subject=FIRST_START, detail="admin, one login"), now=now
        )
    print(
        f"\nNobody can log in to softray yet. Open {address}/login and use this token, once, within an hour:\n\n"
        f"    {secret}\n\nThen add people: softray user add NAME --role admin\n",
        file=sys.stderr,
        flush=True,
    )
    return True


def when_the_registry_answers(task: Callable[[], object]) -> None:
    """Run `task` now, or again and again on a thread of its own until the registry is there and has its tables."""

    def attempt() -> bool:
        try:
            task()
        except (SoftrayError, SQLAlchemyError) as error:
            log_event(logger, "registry_not_ready", level=logging.WARNING, error=type(error).__name__)
            return False
        return True

    def keep_trying() -> None:
        while not attempt():
            threading.Event().wait(AGAIN_AFTER_S)

    if not attempt():
        threading.Thread(target=keep_trying, name="first-start", daemon=True).start()

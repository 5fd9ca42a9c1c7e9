"""The events of a process that starts and stops, with the settings it starts with."""

from __future__ import annotations

import json
import socket

from service.audit.events import Actor, ActorKind, AuditEvent, AuditKind
from service.settings import Settings

# What may hold a password.
UNSAID = frozenset({"database_url", "broker_url"})


def process_started(part: str, settings: Settings) -> AuditEvent:
    """`part` is the word that starts it (`softray node`); the event holds every setting that is not at its default."""
    changed = {
        name: str(value) if name not in UNSAID else "set"
        for name, value in sorted(settings.model_dump().items())
        if value != Settings.model_fields[name].default
    }
    return AuditEvent(AuditKind.PROCESS_STARTED, _process(part), subject=part, detail=json.dumps(changed))


def process_stopped(part: str) -> AuditEvent:
    """It was told to stop."""
    return AuditEvent(AuditKind.PROCESS_STOPPED, _process(part), subject=part)


def _process(part: str) -> Actor:
    return Actor(ActorKind.PROCESS, f"softray {part}", socket.gethostname())

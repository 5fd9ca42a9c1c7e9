"""What is recorded: one value for each thing that an administrator or an auditor may ask about later."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AuditKind(StrEnum):
    """What happened; `service.audit.dicom_message` says which message of PS3.15 A.5.3 tells it."""

    PROCESS_STARTED = "PROCESS_STARTED"
    PROCESS_STOPPED = "PROCESS_STOPPED"
    INSTANCES_RECEIVED = "INSTANCES_RECEIVED"
    INSTANCES_SENT = "INSTANCES_SENT"
    INSTANCES_ACCESSED = "INSTANCES_ACCESSED"
    LOGIN = "LOGIN"
    LOGOUT = "LOGOUT"
    LOCKED_OUT = "LOCKED_OUT"
    ACTION = "ACTION"
    TOKEN_CREATED = "TOKEN_CREATED"
    TOKEN_REVOKED = "TOKEN_REVOKED"
    USER_ADDED = "USER_ADDED"
    USER_CHANGED = "USER_CHANGED"
    NODE_ADDED = "NODE_ADDED"
    NODE_REMOVED = "NODE_REMOVED"
    SECURITY_ALERT = "SECURITY_ALERT"
    RECALL_PROPOSED = "RECALL_PROPOSED"
    RECALL_APPROVED = "RECALL_APPROVED"
    RECALL_WITHDRAWN = "RECALL_WITHDRAWN"
    RECALL_DONE = "RECALL_DONE"
    AUDIT_EXPORTED = "AUDIT_EXPORTED"


class Outcome(StrEnum):
    """How it ended; EventOutcomeIndicator 0 and 4."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


class ActorKind(StrEnum):
    """Who did it."""

    USER = "USER"
    TOKEN = "TOKEN"
    FIRST_START = "FIRST_START"
    LOCAL = "LOCAL"
    ANONYMOUS = "ANONYMOUS"
    REMOTE_NODE = "REMOTE_NODE"
    COMMAND_LINE = "COMMAND_LINE"
    PROCESS = "PROCESS"


@dataclass(frozen=True)
class Actor:
    """Who did it: `name` of the account, token, AE title, process or operating system's user; `host` it came from."""

    kind: ActorKind
    name: str
    host: str = ""


@dataclass(frozen=True)
class AuditEvent:
    """One event, not yet in the chain.

    `subject` is what it was done to or with: a node, an account, a token, an address of the API. `count` tells how many
    instances, or how often the same thing happened. No field holds a patient's data.
    """

    kind: AuditKind
    actor: Actor
    outcome: Outcome = Outcome.SUCCESS
    subject: str = ""
    study_instance_uid: str | None = None
    sop_class_uid: str | None = None
    sop_instance_uids: tuple[str, ...] = ()
    count: int = 1
    reason_code: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class AuditNote:
    """One instance received, sent or looked at; those of one study become one event."""

    kind: AuditKind
    actor: Actor
    subject: str
    study_instance_uid: str | None
    sop_class_uid: str | None
    sop_instance_uid: str | None
    outcome: Outcome = Outcome.SUCCESS
    reason_code: str | None = None

"""One event as an audit message of PS3.15 A.5: XML for an audit record repository.

The object of a message is the study, by its UID. The patient, whom A.5.3 wants named as well, is not in the registry:
the message says that the number is withheld (docs/audit.md). Codes are those of PS3.16 CID 400 to 405.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from datetime import UTC
from xml.etree import ElementTree as ET

from service.audit.chain import ChainedEvent
from service.audit.events import ActorKind, AuditKind, Outcome


@dataclass(frozen=True)
class Code:
    """A coded value."""

    value: str
    meaning: str
    scheme: str = "DCM"


@dataclass(frozen=True)
class AuditSource:
    """Who sends: `source_id` names this installation, `ae_title` is its own."""

    source_id: str
    ae_title: str


APPLICATION_ACTIVITY = Code("110100", "Application Activity")
AUDIT_LOG_USED = Code("110101", "Audit Log Used")
INSTANCES_ACCESSED = Code("110103", "DICOM Instances Accessed")
INSTANCES_TRANSFERRED = Code("110104", "DICOM Instances Transferred")
SECURITY_ALERT = Code("110113", "Security Alert")
USER_AUTHENTICATION = Code("110114", "User Authentication")

APPLICATION_START = Code("110120", "Application Start")
APPLICATION_STOP = Code("110121", "Application Stop")
LOGIN = Code("110122", "Login")
LOGOUT = Code("110123", "Logout")
NODE_AUTHENTICATION = Code("110126", "Node Authentication")
NETWORK_CONFIGURATION = Code("110128", "Network Configuration")
USE_OF_RESTRICTED_FUNCTION = Code("110132", "Use of Restricted Function")
SECURITY_ROLES_CHANGED = Code("110136", "Security Roles Changed")
USER_SECURITY_ATTRIBUTES_CHANGED = Code("110137", "User security Attributes Changed")

APPLICATION = Code("110150", "Application")
DESTINATION = Code("110152", "Destination Role ID")
SOURCE = Code("110153", "Source Role ID")
STUDY_INSTANCE_UID = Code("110180", "Study Instance UID")
NODE_ID = Code("110182", "Node ID")
PATIENT_NUMBER = Code("2", "Patient Number", "RFC-3881")


@dataclass(frozen=True)
class Form:
    """How one kind of event is told: EventID, EventTypeCode, EventActionCode."""

    event: Code
    type: Code | None
    action: str


FORMS: dict[AuditKind, Form] = {
    AuditKind.PROCESS_STARTED: Form(APPLICATION_ACTIVITY, APPLICATION_START, "E"),
    AuditKind.PROCESS_STOPPED: Form(APPLICATION_ACTIVITY, APPLICATION_STOP, "E"),
    AuditKind.INSTANCES_RECEIVED: Form(INSTANCES_TRANSFERRED, None, "C"),
    AuditKind.INSTANCES_SENT: Form(INSTANCES_TRANSFERRED, None, "R"),
    AuditKind.INSTANCES_ACCESSED: Form(INSTANCES_ACCESSED, None, "R"),
    AuditKind.LOGIN: Form(USER_AUTHENTICATION, LOGIN, "E"),
    AuditKind.LOGOUT: Form(USER_AUTHENTICATION, LOGOUT, "E"),
    AuditKind.LOCKED_OUT: Form(SECURITY_ALERT, USER_SECURITY_ATTRIBUTES_CHANGED, "E"),
    AuditKind.ACTION: Form(SECURITY_ALERT, USE_OF_RESTRICTED_FUNCTION, "E"),
    AuditKind.TOKEN_CREATED: Form(SECURITY_ALERT, USER_SECURITY_ATTRIBUTES_CHANGED, "E"),
    AuditKind.TOKEN_REVOKED: Form(SECURITY_ALERT, USER_SECURITY_ATTRIBUTES_CHANGED, "E"),
    AuditKind.USER_ADDED: Form(SECURITY_ALERT, SECURITY_ROLES_CHANGED, "E"),
    AuditKind.USER_CHANGED: Form(SECURITY_ALERT, SECURITY_ROLES_CHANGED, "E"),
    AuditKind.NODE_ADDED: Form(SECURITY_ALERT, NETWORK_CONFIGURATION, "E"),
    AuditKind.NODE_REMOVED: Form(SECURITY_ALERT, NETWORK_CONFIGURATION, "E"),
    AuditKind.SECURITY_ALERT: Form(SECURITY_ALERT, USE_OF_RESTRICTED_FUNCTION, "E"),
    AuditKind.RECALL_PROPOSED: Form(SECURITY_ALERT, USE_OF_RESTRICTED_FUNCTION, "E"),
    AuditKind.RECALL_APPROVED: Form(SECURITY_ALERT, USE_OF_RESTRICTED_FUNCTION, "E"),
    AuditKind.RECALL_WITHDRAWN: Form(SECURITY_ALERT, USE_OF_RESTRICTED_FUNCTION, "E"),
    AuditKind.RECALL_DONE: Form(SECURITY_ALERT, USE_OF_RESTRICTED_FUNCTION, "E"),
    AuditKind.AUDIT_EXPORTED: Form(AUDIT_LOG_USED, None, "R"),
}
TRANSFERS = (AuditKind.INSTANCES_RECEIVED, AuditKind.INSTANCES_SENT)
WITHHELD = "withheld"


def to_xml(event: ChainedEvent, source: AuditSource) -> str:
    """The message as one line of ASCII XML, other characters as references."""
    kind = AuditKind(event.kind)
    form = FORMS[kind]
    content: dict[str, object] = json.loads(event.content)
    message = ET.Element("AuditMessage")
    _identify(message, event, _by_reason(form, event, content), content)
    _participants(message, event, kind, source)
    ET.SubElement(message, "AuditSourceIdentification", AuditSourceID=source.source_id)
    if event.study_instance_uid is not None:
        _study(message, event.study_instance_uid, content)
    elif event.subject:
        _subject(message, kind, event.subject)
    return str(ET.tostring(message, encoding="us-ascii", xml_declaration=False), "ascii")


def _by_reason(form: Form, event: ChainedEvent, content: dict[str, object]) -> Form:
    """An alert about a peer is one of node authentication."""
    if event.kind == AuditKind.SECURITY_ALERT and event.actor_kind == ActorKind.REMOTE_NODE:
        return Form(form.event, NODE_AUTHENTICATION, form.action)
    return form


def _identify(message: ET.Element, event: ChainedEvent, form: Form, content: dict[str, object]) -> None:
    identification = ET.SubElement(
        message,
        "EventIdentification",
        EventActionCode=form.action,
        EventDateTime=event.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        EventOutcomeIndicator="0" if event.outcome == Outcome.SUCCESS else "4",
    )
    _code(identification, "EventID", form.event)
    if form.type is not None:
        _code(identification, "EventTypeCode", form.type)
    words = [str(content[name]) for name in ("reason_code", "detail") if name in content]
    if "count" in content:
        words.append(f"{content['count']} times" if event.study_instance_uid is None else f"{content['count']} objects")
    if words:
        ET.SubElement(identification, "EventOutcomeDescription").text = _xml_text("; ".join(words))


def _participants(message: ET.Element, event: ChainedEvent, kind: AuditKind, source: AuditSource) -> None:
    """A.5.3: who asked, and for a transfer both ends of it, the source first."""
    if kind in TRANSFERS:
        peer = event.actor if kind is AuditKind.INSTANCES_RECEIVED else event.subject
        here = (source.source_id, source.ae_title, "")
        there = (peer, peer, event.host)
        sender, receiver = (there, here) if kind is AuditKind.INSTANCES_RECEIVED else (here, there)
        _participant(message, *sender, requestor=True, role=SOURCE)
        _participant(message, *receiver, requestor=False, role=DESTINATION)
        return
    name = event.actor or event.actor_kind.lower()
    role = APPLICATION if event.actor_kind == ActorKind.PROCESS else None
    _participant(message, name, "", event.host, requestor=True, role=role)
    if event.actor_kind != ActorKind.PROCESS:
        _participant(message, source.source_id, source.ae_title, "", requestor=False, role=APPLICATION)


def _participant(
    message: ET.Element, user: str, ae_title: str, host: str, *, requestor: bool, role: Code | None
) -> None:
    participant = ET.SubElement(
        message, "ActiveParticipant", UserID=_identifier(user), UserIsRequestor="true" if requestor else "false"
    )
    if ae_title:
        participant.set("AlternativeUserID", f"AETITLES={_xml_text(ae_title)}")
    if host:
        participant.set("NetworkAccessPointID", _xml_text(host))
        participant.set("NetworkAccessPointTypeCode", "2" if _is_ip(host) else "1")
    if role is not None:
        _code(participant, "RoleIDCode", role)


def _study(message: ET.Element, study_instance_uid: str, content: dict[str, object]) -> None:
    study = _object(message, study_instance_uid, STUDY_INSTANCE_UID, "2", "3")
    uids = content.get("sop_instance_uids")
    if isinstance(uids, list) and uids:
        description = ET.SubElement(study, "ParticipantObjectDescription")
        instances = ET.SubElement(description, "SOPClass", NumberOfInstances=str(len(uids)))
        if "sop_class_uid" in content:
            instances.set("UID", str(content["sop_class_uid"]))
        for uid in uids:
            ET.SubElement(instances, "Instance", UID=str(uid))
    _object(message, WITHHELD, PATIENT_NUMBER, "1", "1")


def _subject(message: ET.Element, kind: AuditKind, subject: str) -> None:
    """What was changed or asked for: a person (1), else a system object (2); roles of PS3.15 A.5.2."""
    accounts = (AuditKind.USER_ADDED, AuditKind.USER_CHANGED, AuditKind.LOCKED_OUT)
    _object(message, subject, NODE_ID, *(("1", "11") if kind in accounts else ("2", "13")))


def _object(message: ET.Element, identifier: str, kind: Code, type_code: str, role: str) -> ET.Element:
    found = ET.SubElement(
        message,
        "ParticipantObjectIdentification",
        ParticipantObjectID=_identifier(identifier),
        ParticipantObjectTypeCode=type_code,
        ParticipantObjectTypeCodeRole=role,
    )
    _code(found, "ParticipantObjectIDTypeCode", kind)
    ET.SubElement(found, "ParticipantObjectName").text = _identifier(identifier)
    return found


def _code(parent: ET.Element, name: str, code: Code) -> None:
    ET.SubElement(parent, name, {"csd-code": code.value, "codeSystemName": code.scheme, "originalText": code.meaning})


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _identifier(text: str) -> str:
    """A token that is not empty, whatever a peer called itself."""
    return " ".join(_xml_text(text).split()) or "unknown"


def _xml_text(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold, not even as references (section 2.2)."""
    return "".join(c if c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff" else " " for c in text)

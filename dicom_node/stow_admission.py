"""What is decided about a STOW-RS request before its body is read: who sends it, and whether it can be taken.

The same allow-list holds as at the DICOM port: a token stands for an AE title, and that must be a remote node that may
send.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message

from fastapi import Request

from dicom_node.association_slots import AssociationSlots
from dicom_node.errors import MultipartError
from dicom_node.intake import Intake
from dicom_node.loopback import is_loopback
from dicom_node.multipart_related import PartLimits, PartParser
from dicom_node.web_tokens import WebTokens
from service.api.problems import ProblemError

ANONYMOUS_AE_TITLE = "STOW"  # who has no token, where none is asked for
DICOM_JSON = "application/dicom+json"
DICOM_XML = "application/dicom+xml"
_ACCEPTS_JSON = frozenset({DICOM_JSON, "application/json", "application/*", "*/*"})
_ACCEPTS_XML = frozenset({DICOM_XML, "application/xml", "text/xml"})
_UID_FORM = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True)
class StowTerms:
    """What a sender must keep to: `tokens` None lets everybody in as STOW.

    `max_requests` run at a time, of which one AE title has `max_requests_per_caller`; in each `silence_s` that is
    waited for a sender, it must bring something.
    """

    tokens: WebTokens | None
    max_requests: int
    parts: PartLimits
    silence_s: float
    max_requests_per_caller: int = 20


def caller_of(request: Request, terms: StowTerms) -> str:
    """The sender's AE title. Raises ProblemError when it has no token, or none is asked and it is not from here."""
    if terms.tokens is None:
        # A page of another site that had its own name resolve to this machine would show that name.
        if not is_loopback(request.url.hostname or ""):
            raise ProblemError(403, "HOST_NOT_LOCAL", "expected a request to this machine by its loopback address")
        return ANONYMOUS_AE_TITLE
    caller = terms.tokens.ae_title_of(request.headers.get("authorization"))
    if caller is None:
        raise ProblemError(401, "TOKEN_UNKNOWN", "expected a bearer token that is known here")
    return caller


def require_permitted(intake: Intake, calling_ae_title: str) -> None:
    """Raises ProblemError when the allow-list does not have the sender, RegistryUnavailableError when it is away."""
    if not intake.callers.permits(calling_ae_title):
        raise ProblemError(403, "CALLER_NOT_ALLOWED", "expected the AE title of a remote node that may send")


def take_place(places: AssociationSlots, intake: Intake, calling_ae_title: str, terms: StowTerms) -> None:
    """A place for one request, to be given back. Raises ProblemError, 429 where the sender has all it may have."""
    if intake.shutting_down.is_set():
        raise ProblemError(503, "SHUTTING_DOWN", "the same request will be taken later")
    if not places.take(calling_ae_title):
        if places.taken >= terms.max_requests:
            raise ProblemError(503, "BUSY", "the same request will be taken later")
        message = f"expected at most {terms.max_requests_per_caller} requests of one sender at a time"
        raise ProblemError(429, "TOO_MANY_REQUESTS", message)


def parser_of(request: Request, study_instance_uid: str | None, terms: StowTerms) -> PartParser:
    """What takes the body apart. Raises ProblemError or MultipartError for a request that cannot be taken."""
    parser = PartParser(_boundary(request, study_instance_uid), terms.parts)
    announced = announced_bytes(request)
    if announced > terms.parts.max_total_bytes:
        message = f"expected at most {terms.parts.max_total_bytes} bytes, found {announced}"
        raise MultipartError("BODY_TOO_LARGE", message)
    return parser


def announced_bytes(request: Request) -> int:
    """What Content-Length says; 0 where it does not."""
    announced = request.headers.get("content-length", "0")
    return int(announced) if announced.isascii() and announced.isdigit() else 0


def _boundary(request: Request, study_instance_uid: str | None) -> str:
    """The boundary of a request that can be taken. Raises ProblemError for any other."""
    if study_instance_uid is not None and not _UID_FORM.fullmatch(study_instance_uid):
        raise ProblemError(400, "UID_INVALID", "expected a Study Instance UID in the address")
    if not _accepted(request) & (_ACCEPTS_JSON | _ACCEPTS_XML):
        raise ProblemError(406, "NOT_ACCEPTABLE", f"answers are given as {DICOM_JSON} or {DICOM_XML}")
    header = Message()
    header["Content-Type"] = request.headers.get("content-type", "")
    kind, boundary = str(header.get_param("type", "")).lower(), header.get_param("boundary", "")
    if header.get_content_type() != "multipart/related" or kind not in ("application/dicom", ""):
        message = 'expected Content-Type: multipart/related; type="application/dicom"'
        raise ProblemError(415, "MEDIA_TYPE_NOT_SUPPORTED", message)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProblemError(415, "MEDIA_TYPE_NOT_SUPPORTED", "expected a body that is not compressed")
    return boundary if isinstance(boundary, str) else ""


def accepts_json(request: Request) -> bool:
    """Whether an answer in DICOM JSON is acceptable; XML is otherwise."""
    return bool(_accepted(request) & _ACCEPTS_JSON)


def _accepted(request: Request) -> set[str]:
    return {item.split(";")[0].strip().lower() for item in request.headers.get("accept", "*/*").split(",")}

"""The Store Instances Response (PS3.18 §10.5.3): what became of each instance of a request, and its HTTP status.

The body is the module of PS3.18 Annex I in the DICOM JSON Model (Annex F). Failure reasons are the statuses that
a C-STORE would have got.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

REFERENCED_SOP_SEQUENCE = "00081199"
FAILED_SOP_SEQUENCE = "00081198"
OTHER_FAILURES_SEQUENCE = "0008119A"
SOP_CLASS_UID = "00081150"
SOP_INSTANCE_UID = "00081155"
RETRIEVE_URL = "00081190"
FAILURE_REASON = "00081197"
WARNING_REASON = "00081196"

# An element of the DICOM JSON Model, of which only these forms occur here.
JsonElement = dict[str, "str | list[str] | list[int] | list[dict[str, JsonElement]]"]
JsonDataSet = dict[str, JsonElement]


@dataclass(frozen=True)
class InstanceOutcome:
    """One part of the request: stored when `failure` is None. UIDs are None where the part did not give them.

    `warning` is what the sender should know of a stored one. `may_pass`: the same may be taken later. `too_large`: it
    was cut off at the largest size received.
    """

    sop_class_uid: str | None
    sop_instance_uid: str | None
    failure: int | None = None
    warning: int | None = None
    may_pass: bool = False
    too_large: bool = False


def http_status_of(outcomes: Sequence[InstanceOutcome]) -> int:
    """200 all stored, 202 some, or with a warning; none: 503 if that may pass, 413 if one was too large, else 409."""
    if any(outcome.failure is None for outcome in outcomes):
        return 202 if any(outcome.failure is not None or outcome.warning is not None for outcome in outcomes) else 200
    if any(outcome.may_pass for outcome in outcomes):
        return 503
    return 413 if any(outcome.too_large for outcome in outcomes) else 409


def response_body(outcomes: Sequence[InstanceOutcome]) -> JsonDataSet:
    """The response module; a sequence that would be empty is left out, as its condition asks.

    Retrieve URLs are empty: nothing can be retrieved from here.
    """
    stored = [_item(o) | {RETRIEVE_URL: _empty("UR")} | _warning(o) for o in outcomes if o.failure is None]
    named = [o for o in outcomes if o.failure is not None and o.sop_instance_uid is not None]
    unnamed = [o for o in outcomes if o.failure is not None and o.sop_instance_uid is None]
    body: JsonDataSet = {RETRIEVE_URL: _empty("UR")}
    for tag, items in (
        (REFERENCED_SOP_SEQUENCE, stored),
        (FAILED_SOP_SEQUENCE, [_item(outcome) | _reason(outcome) for outcome in named]),
        (OTHER_FAILURES_SEQUENCE, [_reason(outcome) for outcome in unnamed]),
    ):
        if items:
            body[tag] = {"vr": "SQ", "Value": items}
    return body


def _item(outcome: InstanceOutcome) -> JsonDataSet:
    return {
        SOP_CLASS_UID: {"vr": "UI", "Value": [outcome.sop_class_uid or ""]},
        SOP_INSTANCE_UID: {"vr": "UI", "Value": [outcome.sop_instance_uid or ""]},
    }


def _reason(outcome: InstanceOutcome) -> JsonDataSet:
    return {FAILURE_REASON: {"vr": "US", "Value": [outcome.failure or 0]}}


def _warning(outcome: InstanceOutcome) -> JsonDataSet:
    return {} if outcome.warning is None else {WARNING_REASON: {"vr": "US", "Value": [outcome.warning]}}


def _empty(vr: str) -> JsonElement:
    return {"vr": vr}

"""What the data set and the association say about one instance, as the registry takes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InstanceFacts:
    """One received instance.

    `body_part`, `irradiation_event_uid` and `made_from_uid` (the first of its Source Image Sequence) are None when the
    header does not state them. `open_questions`: codes of what the header leaves to the picture.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    modality: str | None
    calling_ae_title: str
    body_part: str | None = None
    irradiation_event_uid: str | None = None
    made_from_uid: str | None = None
    open_questions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Verdict:
    """What the gate said: `reason_code` None means that the instance is to be processed.

    `notice`: whether the study gets a report of a refusal. `sibling_wait_s`: how long a For Processing image waits for
    a For Presentation one of the same exposure.
    """

    reason_code: str | None = None
    reason_detail: str | None = None
    notice: bool = False
    sibling_wait_s: float = 0.0

"""Words in a header's descriptions, and code values as they may be quoted in a reason without quoting a patient."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydicom.dataset import Dataset

from dicom_node.header_values import items, text

_CODE_STRING = re.compile(r"[A-Z0-9 _]{1,16}")
_SERIES = ("SeriesDescription", "ProtocolName")
_STUDY = ("StudyDescription", "RequestedProcedureDescription", "PerformedProcedureStepDescription")
_STUDY_CODES = ("ProcedureCodeSequence", "RequestedProcedureCodeSequence", "PerformedProtocolCodeSequence")
_REQUEST = ("ScheduledProcedureStepDescription", "RequestedProcedureDescription")


def series_words(ds: Dataset) -> frozenset[str]:
    """Lower-case words that describe this series."""
    return _words(text(ds, keyword) for keyword in _SERIES)


def image_words(ds: Dataset) -> frozenset[str]:
    """Lower-case words that describe this series or how its image was processed."""
    return series_words(ds) | _words([text(ds, "AcquisitionDeviceProcessingDescription")])


def derivation_words(ds: Dataset) -> frozenset[str]:
    """Lower-case words that describe how the image was made from another."""
    return _words([text(ds, "DerivationDescription")])


def study_words(ds: Dataset) -> frozenset[str]:
    """Lower-case words that describe the study, so possibly other images as well."""
    found = [text(ds, keyword) for keyword in _STUDY]
    found += [text(item, "CodeMeaning") for keyword in _STUDY_CODES for item in items(ds, keyword)]
    for request in items(ds, "RequestAttributesSequence"):
        found += [text(request, keyword) for keyword in _REQUEST]
    return _words(found)


def quoted(code_string: str) -> str:
    """A code string for a message; anything else could be free text, which may name the patient."""
    if not code_string:
        return "nothing"
    return f"'{code_string}'" if _CODE_STRING.fullmatch(code_string.upper()) else "something that is no code string"


def _words(descriptions: Iterable[str]) -> frozenset[str]:
    lowered = re.sub(r"\b([ap])\.\s?([ap])\b\.?", r"\1\2", " ".join(descriptions).lower())  # p.a., a. p.
    return frozenset(re.split(r"[\W_]+", lowered)) - {""}

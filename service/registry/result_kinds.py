"""The kinds of derived object that one received image can give rise to; pure.

The names are what the site file, the API and the history use. Each object of a kind is a series of its own in the
source's study.
"""

from __future__ import annotations

from enum import StrEnum


class ResultKind(StrEnum):
    """What a stored derived object is."""

    SOFT_TISSUE = "SOFT_TISSUE"
    """The companion image itself, DX or CR as its source."""
    BONE = "BONE"
    """What was taken away: source minus soft tissue, on the same grid."""
    SPREAD = "SPREAD"
    """The standard deviation over the sampler's seeds, with a Real World Value Mapping."""
    PRESENTATION_STATE = "PRESENTATION_STATE"
    """A grayscale softcopy presentation state that labels the companion as made by an algorithm."""
    REPORT = "REPORT"
    """A TID 1500 report: which algorithm, with which seed and steps, and its quality figures."""
    REFUSAL_NOTICE = "REFUSAL_NOTICE"
    """A TID 1500 report saying why there is no companion of an image."""
    RETRACTION = "RETRACTION"
    """A rejection note (Key Object Selection Document) that takes results of a study back."""

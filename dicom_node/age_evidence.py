"""Is it an adult? Patient Age, else Study Date minus Patient's Birth Date, else the size of the exposed field.

Every cleared bone-suppression product takes adults only; a field that only an adult chest fills stands in for an age
that is not told.
"""

from __future__ import annotations

import re
from datetime import date

from pydicom.dataset import Dataset

from dicom_node.eligibility_terms import EligibilityPolicy, Evidence, ReasonCode, no, unknown, yes
from dicom_node.header_values import integer, numbers, text

_AGE = re.compile(r"(\d{1,3})([DWMY])")
_YEARS_PER = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
_OLDEST = 120  # beyond it a birth date is a placeholder


def is_adult(ds: Dataset, policy: EligibilityPolicy) -> Evidence:
    """YES within the site's ages, or for an unknown age with an adult's field."""
    if policy.min_age_years <= 0 and policy.max_age_years <= 0:
        return yes("every age is taken")
    years = _stated_age(ds)
    if not years:  # 000Y is what some systems send for an age they do not know; a newborn's is told in days
        by_dates = _age_by_dates(ds)
        years = by_dates if by_dates is not None else years
    if years is not None:
        if years < policy.min_age_years:
            return no(ReasonCode.BELOW_MINIMUM_AGE, f"expected at least {policy.min_age_years} years, found fewer")
        if 0 < policy.max_age_years < years:
            return no(ReasonCode.ABOVE_MAXIMUM_AGE, f"expected at most {policy.max_age_years} years, found more")
        return yes("the age is within the site's limits")
    if _field_is_an_adults(ds, policy):
        return yes("no age, but a field of an adult's size", "AGE_UNKNOWN_FIELD_OF_AN_ADULT")
    return unknown(ReasonCode.AGE_UNKNOWN, "expected an age or a field of an adult's size, found neither")


def _stated_age(ds: Dataset) -> float | None:
    match = _AGE.fullmatch(text(ds, "PatientAge").upper())
    return int(match[1]) * _YEARS_PER[match[2]] if match else None


def _age_by_dates(ds: Dataset) -> float | None:
    born, studied = _date(text(ds, "PatientBirthDate")), _date(text(ds, "StudyDate"))
    if born is None or studied is None:
        return None
    years = studied.year - born.year - ((studied.month, studied.day) < (born.month, born.day))
    return float(years) if 0 <= years <= _OLDEST else None


def _date(stated: str) -> date | None:
    digits = stated.replace(".", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if len(digits) == 8 else None
    except ValueError:
        return None


def _field_is_an_adults(ds: Dataset, policy: EligibilityPolicy) -> bool:
    rows, columns = integer(ds, "Rows") or 0, integer(ds, "Columns") or 0
    spacing = numbers(ds, "ImagerPixelSpacing") or numbers(ds, "PixelSpacing")
    if len(spacing) == 2 and min(spacing) > 0:
        return min(rows * spacing[0], columns * spacing[1]) >= policy.adult_field_mm
    return min(rows, columns) >= policy.adult_field_px

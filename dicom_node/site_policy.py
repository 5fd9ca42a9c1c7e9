"""What this site wants processed and how it labels results: the settings, as the pure code takes them."""

from __future__ import annotations

from dicom_node.derived import DerivedPolicy
from dicom_node.eligibility import EligibilityPolicy
from service.settings import Settings


def eligibility_policy(settings: Settings) -> EligibilityPolicy:
    """What is processed."""
    return EligibilityPolicy(
        min_age_years=settings.min_age_years,
        accept_for_processing=settings.accept_for_processing,
        min_side=settings.min_side,
    )


def derived_policy(settings: Settings) -> DerivedPolicy:
    """How derived objects are labelled."""
    return DerivedPolicy(
        series_number_offset=settings.series_number_offset,
        content_qualification=settings.content_qualification,
        synthetic_data=settings.synthetic_data,
        manufacturer=settings.manufacturer,
        device_serial_number=settings.device_serial_number,
    )

"""What this site wants processed and how it labels results: settings and site file, as the pure code takes them."""

from __future__ import annotations

from typing import TypeVar

from dicom_node.body_part_words import CHEST_WORDS, OTHER_PART_WORDS
from dicom_node.derived import DerivedPolicy
from dicom_node.eligibility import EligibilityPolicy, FrontalView, Unknown
from service.settings import Settings
from service.site_file import SiteFile, load_site_file
from service.site_gate import Words

T = TypeVar("T")


def eligibility_policy(settings: Settings, site: SiteFile | None = None) -> EligibilityPolicy:
    """What is processed; `site` None reads the site file that the settings name. Raises ConfigurationError."""
    gate = (load_site_file(settings) if site is None else site).gate
    return EligibilityPolicy(
        sop_classes=frozenset(gate.sop_classes),
        accept_for_processing=_or(gate.for_processing, settings.accept_for_processing),
        modalities=frozenset(gate.modalities),
        views=frozenset(FrontalView(view) for view in gate.views),
        unknown=Unknown(gate.unknown),
        refuse_by_image=gate.image_check == "refuse",
        min_age_years=_or(gate.min_age_years, settings.min_age_years),
        max_age_years=gate.max_age_years,
        min_side=_or(gate.min_side, settings.min_side),
        chest_words=_changed(CHEST_WORDS, gate.chest_words),
        other_part_words=_changed(OTHER_PART_WORDS, gate.other_part_words),
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


def _or(decided: T | None, setting: T) -> T:
    return setting if decided is None else decided


def _changed(words: frozenset[str], changes: Words) -> frozenset[str]:
    lowered = (frozenset(word.lower() for word in listed) for listed in (changes.add, changes.remove))
    added, removed = lowered
    return (words | added) - removed

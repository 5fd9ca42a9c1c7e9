"""The report on one derived image: which algorithm, with which settings, and how much it changed (TID 1500).

    language, the device as observer, procedure
    image library: original, soft tissue and whatever else was derived
    measurements: algorithm identification (TID 4019), quality figures with units, each with the image it is of
    evaluation: that the companion was made, what it may be used for, and a sentence for the reader

Pure: the same arguments give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.uid import ComprehensiveSRStorage

from dicom_node import report_codes as concepts
from dicom_node.codes import Code
from dicom_node.contributing_equipment import software_versions
from dicom_node.header_values import integer, text, texts
from dicom_node.provenance import DerivedPolicy, Provenance
from dicom_node.quality_figures import QualityFigures
from dicom_node.report_content import (
    Relationship,
    code_item,
    container,
    number_item,
    reference_item,
    text_item,
    uid_item,
)
from dicom_node.report_document import complete_report, image_library, opening_rows
from dicom_node.report_header import (
    REPORT_STEP,
    DocumentIdentity,
    Maker,
    add_contribution,
    document_of,
    qualification_words,
    reference_to,
)
from dicom_node.uids import named_uid

READ_WITH = "Ribs and clavicles were suppressed by an algorithm. Read the companion image together with the original."
NOT_FOR_DIAGNOSIS = "Research: not for diagnosis."
_ROLES = {
    "BONE_SUPPRESSED": concepts.SOFT_TISSUE,
    "BONE": concepts.BONE,
    "UNCERTAINTY": concepts.SPREAD,
}


def report(
    source: Dataset,
    soft_tissue: Dataset,
    others: Many[Dataset],
    quality: QualityFigures,
    provenance: Provenance,
    policy: DerivedPolicy,
    now: datetime,
) -> Dataset:
    """The report on `soft_tissue`, derived from `source`; `others` are further objects derived with it.

    Of `others`, those that have pixels are in the image library, and all are evidence. `now` is as for `derive`.
    """
    qualification = text(soft_tissue, "ContentQualification")
    identity = DocumentIdentity(
        sop_class_uid=ComprehensiveSRStorage,
        sop_instance_uid=named_uid("report", provenance.instance_uid(text(source, "SOPInstanceUID"))),
        series_instance_uid=named_uid("report series", provenance.series_uid(text(source, "SeriesInstanceUID"))),
        modality="SR",
        series_number=policy.series_number_offset + (integer(source, "SeriesNumber") or 0) + REPORT_STEP,
        series_description=f"Report on the AI bone suppressed image {qualification_words(qualification)}".strip(),
    )
    maker = Maker(provenance.device_uid(), software_versions(provenance))
    document = document_of(source, identity, maker, policy)
    add_contribution(soft_tissue, document)
    images = [(source, concepts.ORIGINAL), (soft_tissue, concepts.SOFT_TISSUE)]
    images += [(other, _role(other)) for other in others if integer(other, "Rows")]
    rows = [
        *opening_rows(maker.device_uid, provenance.model_name, policy, concepts.CHEST_RADIOGRAPHY),
        image_library(images),
        container(concepts.IMAGING_MEASUREMENTS, [_measurements(source, soft_tissue, quality, provenance)]),
        container(concepts.QUALITATIVE_EVALUATIONS, _evaluations(qualification)),
    ]
    evidence = [source, soft_tissue, *others]
    complete_report(document, source, concepts.IMAGING_MEASUREMENT_REPORT, rows, evidence, now)
    return document


def _measurements(source: Dataset, soft_tissue: Dataset, quality: QualityFigures, provenance: Provenance) -> Dataset:
    """TID 1501."""
    derived_uid = text(soft_tissue, "SOPInstanceUID")
    tracking = [
        text_item(concepts.TRACKING_IDENTIFIER, "Quality of the soft tissue image", Relationship.HAS_OBS_CONTEXT),
        uid_item(concepts.TRACKING_UNIQUE_IDENTIFIER, named_uid("report tracking", derived_uid)),
    ]
    figures = [
        number_item(name, value, unit, children=[_measured_on(soft_tissue), _measured_on(source)])
        for name, value, unit in _figures(quality)
        if value is not None
    ]
    return container(concepts.MEASUREMENT_GROUP, [*tracking, *_algorithm(provenance), *figures], template="1501")


def _algorithm(provenance: Provenance) -> list[Dataset]:
    """TID 4019: one parameter an item, the digest of the weights first."""
    modifier = Relationship.HAS_CONCEPT_MOD
    parameters = (
        f"weights SHA-256={provenance.model_sha256}",
        f"architecture={provenance.architecture}",
        f"sampler={provenance.sampler}",
        f"steps={provenance.steps}",
        f"seed={provenance.seed}",
        *provenance.parameters.split(),
        f"precision={provenance.precision}",
        f"device={provenance.device}",
        f"softray={provenance.service_version}",
    )
    return [
        text_item(concepts.ALGORITHM_NAME, provenance.model_name, modifier),
        text_item(concepts.ALGORITHM_VERSION, provenance.model_version, modifier),
        *(text_item(concepts.ALGORITHM_PARAMETERS, one, modifier) for one in parameters),
    ]


def _figures(quality: QualityFigures) -> list[tuple[Code, float | None, Code]]:
    percent = concepts.PERCENT
    return [
        (concepts.CHANGED_SHARE, quality.changed_share_percent, percent),
        (concepts.MEAN_CHANGE, quality.mean_change_percent, percent),
        (concepts.LARGEST_CHANGE, quality.largest_change_percent, percent),
        (concepts.LARGEST_CHANGE_OUTSIDE, quality.largest_change_outside_percent, percent),
        (concepts.FINE_STRUCTURE, quality.fine_structure_correlation, concepts.NO_UNITS),
        (concepts.MEAN_SPREAD, quality.mean_spread_percent, percent),
    ]


def _measured_on(image: Dataset) -> Dataset:
    """TID 320."""
    return reference_item(reference_to(image), concepts.SOURCE_OF_MEASUREMENT, Relationship.INFERRED_FROM)


def _evaluations(qualification: str) -> list[Dataset]:
    evaluations = [code_item(concepts.COMPANION, concepts.MADE)]
    use = concepts.QUALIFICATIONS.get(qualification)
    if use is not None:
        evaluations.append(code_item(concepts.QUALIFICATION, use))
    sentence = READ_WITH if qualification == "PRODUCT" else f"{READ_WITH} {NOT_FOR_DIAGNOSIS}"
    return [*evaluations, text_item(concepts.COMMENT, sentence)]


def _role(image: Dataset) -> Code:
    return next((_ROLES[value] for value in texts(image, "ImageType")[3:] if value in _ROLES), concepts.OTHER_DERIVED)

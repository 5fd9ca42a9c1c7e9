"""A structured report after TID 1500 as a document: its modules, its opening rows and its evidence (PS3.3 A.35.3).

Comprehensive SR, which archives and viewers take where they take reports at all. Complete and unverified: a machine
wrote it and nobody has signed it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from dicom_node import report_codes as concepts
from dicom_node.codes import Code
from dicom_node.derived_modules import date, in_the_sources_zone, time
from dicom_node.file_meta import file_meta_of
from dicom_node.header_values import integer, text
from dicom_node.provenance import DerivedPolicy
from dicom_node.report_content import (
    Relationship,
    code_item,
    container,
    number_item,
    reference_item,
    text_item,
    uid_item,
)
from dicom_node.report_header import add_times, reference_to
from dicom_node.uids import SOFTWARE_NAME

TEMPLATE = "1500"


def opening_rows(device_uid: UID, name: str, policy: DerivedPolicy, procedure: Code) -> list[Dataset]:
    """Language (TID 1204), the device that observed (TID 1004) and the procedure reported."""
    observer = Relationship.HAS_OBS_CONTEXT
    return [
        code_item(concepts.LANGUAGE, concepts.ENGLISH, Relationship.HAS_CONCEPT_MOD),
        code_item(concepts.OBSERVER_TYPE, concepts.DEVICE, observer),
        uid_item(concepts.DEVICE_OBSERVER_UID, device_uid, observer),
        text_item(concepts.DEVICE_OBSERVER_NAME, name, observer),
        text_item(concepts.DEVICE_OBSERVER_MANUFACTURER, policy.manufacturer, observer),
        text_item(concepts.DEVICE_OBSERVER_MODEL_NAME, SOFTWARE_NAME, observer),
        text_item(concepts.DEVICE_OBSERVER_SERIAL_NUMBER, policy.device_serial_number, observer),
        code_item(concepts.PROCEDURE_REPORTED, procedure, Relationship.HAS_CONCEPT_MOD),
    ]


def image_library(images: Iterable[tuple[Dataset, Code]]) -> Dataset:
    """TID 1600: the images with the part that each plays, its modality and its size."""
    entries = [reference_item(reference_to(image), children=_descriptors(image, role)) for image, role in images]
    return container(concepts.IMAGE_LIBRARY, [container(concepts.IMAGE_LIBRARY_GROUP, entries)])


def complete_report(
    document: Dataset, source: Dataset, title: Code, rows: Iterable[Dataset], evidence: Iterable[Dataset], now: datetime
) -> None:
    """Turn a `report_header.document_of` into a report that says `rows` and rests on the instances of `evidence`."""
    now = in_the_sources_zone(source, now)
    add_times(document, now)
    # SR Document Series, SR Document General
    document.ReferencedPerformedProcedureStepSequence = Sequence([])
    document.ContentDate, document.ContentTime = date(now), time(now)
    document.CompletionFlag = "COMPLETE"
    document.VerificationFlag = "UNVERIFIED"
    document.PerformedProcedureCodeSequence = Sequence([])
    document.CurrentRequestedProcedureEvidenceSequence = evidence_of(evidence)
    # SR Document Content: the root container's elements lie in the data set itself
    document.update(container(title, rows, None, TEMPLATE))
    document.file_meta = file_meta_of(document)


def _descriptors(image: Dataset, role: Code) -> list[Dataset]:
    context = Relationship.HAS_ACQ_CONTEXT
    described = [code_item(concepts.ROLE, role, context)]
    modality = concepts.MODALITIES.get(text(image, "Modality").upper())
    if modality is not None:
        described.insert(0, code_item(concepts.MODALITY, modality, context))
    for name, keyword in ((concepts.PIXEL_ROWS, "Rows"), (concepts.PIXEL_COLUMNS, "Columns")):
        size = integer(image, keyword)
        if size is not None:
            described.append(number_item(name, size, concepts.PIXELS, context))
    return described


def evidence_of(instances: Iterable[Dataset]) -> Sequence:
    """Current Requested Procedure Evidence (C.17.2.3): by study and series, each instance once, in the order given."""
    by_series: dict[tuple[str, str], dict[str, Dataset]] = {}
    for instance in instances:
        place = (text(instance, "StudyInstanceUID"), text(instance, "SeriesInstanceUID"))
        by_series.setdefault(place, {}).setdefault(text(instance, "SOPInstanceUID"), reference_to(instance))
    studies: dict[str, list[Dataset]] = {}
    for (study_uid, series_uid), references in by_series.items():
        series = Dataset()
        series.SeriesInstanceUID = series_uid
        series.ReferencedSOPSequence = Sequence(references.values())
        studies.setdefault(study_uid, []).append(series)
    found = []
    for study_uid, all_series in studies.items():
        study = Dataset()
        study.StudyInstanceUID = study_uid
        study.ReferencedSeriesSequence = Sequence(all_series)
        found.append(study)
    return Sequence(found)

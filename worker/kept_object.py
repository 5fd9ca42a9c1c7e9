"""A finished object in the instance store: from then on the stored bytes are what every delivery sends."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from pydicom import Dataset, dcmwrite

from service.instance_store import InstanceStore, Kind
from service.registry.claims import ResultFacts
from service.registry.result_kinds import ResultKind


@dataclass(frozen=True)
class MadeObject:
    """One finished data set, ready to be stored."""

    kind: ResultKind
    dataset: Dataset


def keep_object(made: MadeObject, store: InstanceStore) -> ResultFacts:
    """Write `made` and say where it lies. Raises StoreFullError, TransientError."""
    encoded = BytesIO()
    dcmwrite(encoded, made.dataset, enforce_file_format=True)
    stored = store.keep(Kind.DERIVED, [encoded.getbuffer()])
    return ResultFacts(
        kind=made.kind,
        sop_class_uid=str(made.dataset.SOPClassUID),
        sop_instance_uid=str(made.dataset.SOPInstanceUID),
        series_instance_uid=str(made.dataset.SeriesInstanceUID),
        path=stored.path,
        sha256=stored.sha256,
    )

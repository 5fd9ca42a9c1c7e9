"""All objects that a finished image gives rise to: the derived images, their label and the report on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import torch
from numpy.typing import NDArray
from pydicom import Dataset

from dicom_node.algorithm_report import report
from dicom_node.derived import DerivedPolicy
from dicom_node.presentation_state import label_as_ai
from models.patient import patient_weight
from service.registry.result_kinds import ResultKind
from worker.kept_object import MadeObject
from worker.pipeline import SoftTissue
from worker.quality import quality_of


def all_objects(
    source: Dataset, result: SoftTissue, wanted: frozenset[ResultKind], policy: DerivedPolicy, now: datetime
) -> Iterator[MadeObject]:
    """The images of `result`, then what is `wanted` about them. Raises DerivationError."""
    for image in result.images:
        yield MadeObject(ResultKind(image.kind), image.dataset)
    if ResultKind.PRESENTATION_STATE in wanted:
        yield MadeObject(ResultKind.PRESENTATION_STATE, label_as_ai(result.derived, result.provenance, policy, now))
    if ResultKind.REPORT in wanted:
        others = [image.dataset for image in result.images[1:]]
        quality = quality_of(result.source, result.residual, _patient(result), result.spread)
        document = report(source, result.derived, others, quality, result.provenance, policy, now)
        yield MadeObject(ResultKind.REPORT, document)


def _patient(result: SoftTissue) -> NDArray[np.bool_]:
    weight = patient_weight(torch.from_numpy(np.ascontiguousarray(result.source))[None, None])[0, 0].numpy()
    inside: NDArray[np.bool_] = (weight > 0) & result.alterable
    return inside

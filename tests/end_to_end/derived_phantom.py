"""An installation that holds a phantom radiograph and what was derived of it, as real DICOM files."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset

from dicom_node.derived_images import SOFT_TISSUE, SPREAD
from dicom_node.radiograph import wrap_radiograph
from service.instance_store import Kind
from service.registry.result_kinds import ResultKind
from service.registry.tables import Instance, Job, Result
from tests.dicom_node.derivation import all_images
from tests.radiographs import phantom
from tests.service.api.installation import Installation


def add_phantom(installation: Installation, study: str = "1.2.3", side: int = 512) -> tuple[str, dict[str, Dataset]]:
    """A finished job on a phantom; its id, and the data sets by "source", "soft-tissue" and "spread"."""
    made = phantom(side)
    source = wrap_radiograph(made.radiograph, imager_pixel_spacing_mm=made.pixel_spacing_mm)
    residual = np.asarray(made.radiograph - made.soft_tissue, np.float32)
    derived = all_images(source, residual, wanted=frozenset({SOFT_TISSUE, SPREAD}))
    images = {"source": source, "soft-tissue": derived["SOFT_TISSUE"].dataset, "spread": derived["SPREAD"].dataset}
    kept = {name: installation.store.keep(Kind.DERIVED, [_file(ds)]) for name, ds in images.items()}
    job_id = installation.receive(study)
    installation.derive(job_id)
    with installation.sessions.begin() as session:
        job = session.get(Job, job_id)
        assert job is not None
        instance = session.get(Instance, job.instance_id)
        assert instance is not None
        instance.path, instance.sha256 = kept["source"].path, kept["source"].sha256
        soft = session.query(Result).filter_by(job_id=job_id).one()
        soft.path, soft.sha256 = kept["soft-tissue"].path, kept["soft-tissue"].sha256
        session.add(
            Result(
                job_id=job_id, kind=ResultKind.SPREAD, sop_class_uid=soft.sop_class_uid, sop_instance_uid="2.25.999",
                series_instance_uid="2.25.78", path=kept["spread"].path, sha256=kept["spread"].sha256,
                created_at=soft.created_at,
            )
        )  # fmt: skip
    return job_id, {name: dcmread(BytesIO(_file(ds))) for name, ds in images.items()}


def _file(ds: Dataset) -> bytes:
    target = BytesIO()
    dcmwrite(target, ds, enforce_file_format=True)
    return target.getvalue()

"""Label, report and refusal notice in a real PACS: taken, filed under their study, given back as they were sent."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.dicom_node.reports import source_of, written
from tests.dicom_node.test_report_validity import documents_of
from tests.peers.dcmtk import Dcmtk
from tests.peers.orthanc import Orthanc

pytestmark = pytest.mark.interop


def test_orthanc_files_them_in_the_study_of_the_image_and_gives_them_back(
    orthanc: Orthanc, dcmtk: Dcmtk, tmp_path: Path
) -> None:
    source = source_of(character_set="ISO_IR 192")
    objects = {str(ds.SOPInstanceUID): ds for ds in (source, *documents_of(source))}
    paths = []
    for uid, ds in objects.items():
        paths.append(tmp_path / f"{uid}.dcm")
        paths[-1].write_bytes(written(ds))
    assert dcmtk.storescu(orthanc.dicom_port, *paths, called=orthanc.ae_title) == 0
    assert len(orthanc.instances()) == 5
    assert len(orthanc.find_series(source.StudyInstanceUID)) == 5
    for uid, ds in objects.items():
        (instance,) = orthanc.find_instances(uid)
        assert orthanc.tags(instance)["PatientName"] == "王^小東=山田^太郎"
        assert dcmread(BytesIO(orthanc.download(instance))) == dcmread(BytesIO(written(ds)))

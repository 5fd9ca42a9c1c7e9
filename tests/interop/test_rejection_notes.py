"""Rejection notes in a real PACS: kept in the study of what they take back. Orthanc does nothing more with them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.dicom_node.reports import source_of, written
from tests.dicom_node.test_rejection_note import note_on
from tests.dicom_node.test_report_validity import documents_of
from tests.peers.dcmtk import Dcmtk
from tests.peers.orthanc import Orthanc

pytestmark = pytest.mark.interop


def test_orthanc_keeps_the_note_beside_what_it_takes_back_and_goes_on_showing_that(
    orthanc: Orthanc, dcmtk: Dcmtk, tmp_path: Path
) -> None:
    source = source_of(character_set="ISO_IR 192")
    soft_tissue, label, told, _ = documents_of(source)
    note = note_on(source, soft_tissue, label, told)
    paths: list[Path] = []
    for ds in (source, soft_tissue, label, told, note, note):  # a note sent twice is one note
        paths.append(tmp_path / f"{len(paths)}.dcm")
        paths[-1].write_bytes(written(ds))
    assert dcmtk.storescu(orthanc.dicom_port, *paths, called=orthanc.ae_title) == 0
    assert len(orthanc.instances()) == 5
    assert len(orthanc.find_series(source.StudyInstanceUID)) == 5
    (kept,) = orthanc.find_instances(str(note.SOPInstanceUID))
    assert dcmread(BytesIO(orthanc.download(kept))) == dcmread(BytesIO(written(note)))
    assert orthanc.tags(kept)["Modality"] == "KO"
    assert orthanc.find_instances(str(soft_tissue.SOPInstanceUID))

from __future__ import annotations

import tracemalloc
from io import BytesIO

import pytest
from pydicom import Dataset, dcmwrite
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from dicom_node.errors import PixelError
from dicom_node.stored_instance import read_stored_instance
from tests.dicom_node.factories import radiograph


def stored(dataset: Dataset, syntax: str) -> bytes:
    dataset.file_meta.TransferSyntaxUID = syntax
    target = BytesIO()
    dcmwrite(target, dataset, enforce_file_format=True)
    return target.getvalue()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_an_honest_instance_is_read_back(syntax: str) -> None:
    dataset = radiograph()
    assert read_stored_instance(stored(dataset, syntax)).PixelData == dataset.PixelData


def test_a_deflated_instance_that_stands_for_gigabytes_is_refused_before_they_are_there() -> None:
    dataset = radiograph()
    dataset.PixelData = bytes(200 * 1024 * 1024)
    bomb = stored(dataset, DeflatedExplicitVRLittleEndian)
    assert len(bomb) < 1024 * 1024
    del dataset
    tracemalloc.start()
    with pytest.raises(PixelError, match="at most 67108864 bytes"):
        read_stored_instance(bomb, max_inflated=64 * 1024 * 1024)
    assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    tracemalloc.stop()

"""One part of a web request through the intake: whatever it holds, it is stored or refused with a status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom_node.multipart_related import Part
from dicom_node.stow_intake import receive_part
from tests.dicom_node.factories import radiograph
from tests.dicom_node.running_node import Installation, as_received, installation
from tests.dicom_node.running_stow import file_with

SMALL = radiograph(pixels=np.linspace(0, 1, 32 * 32, dtype=np.float32).reshape(32, 32))
FILE = file_with(as_received(SMALL))
REASONS = {None, 0xA900, 0xC000, 0x0122, 0xC122}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with ExitStack() as stack:
        folder: Path = tmp_path_factory.mktemp("stow")
        yield stack.enter_context(installation(folder))


def part(content: bytes, media_type: str = "application/dicom") -> Part:
    return Part(media_type, bytearray(content), len(content))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    places=st.lists(st.tuples(st.integers(0, len(FILE) - 1), st.integers(0, 255)), max_size=4),
    length=st.one_of(st.none(), st.integers(0, len(FILE))),
    study=st.sampled_from([None, str(SMALL.StudyInstanceUID), "1.2.3"]),
)
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_is_stored_or_refused_for_a_reason(
    installed: Installation, places: list[tuple[int, int]], length: int | None, study: str | None
) -> None:
    damaged = bytearray(FILE)
    for place, value in places:
        damaged[place] = value
    before = len(installed.rejections())
    outcome = receive_part(installed.intake, part(bytes(damaged[:length])), "MODALITY", study)
    assert outcome.failure in REASONS
    assert not outcome.may_pass
    refused = len(installed.rejections()) - before
    assert refused >= (outcome.failure is not None)


@pytest.mark.parametrize("media_type", ["application/dicom+json", "application/octet-stream", "image/jpeg"])
def test_a_part_of_another_type_is_refused(installed: Installation, media_type: str) -> None:
    outcome = receive_part(installed.intake, part(FILE, media_type), "MODALITY", None)
    assert (outcome.failure, outcome.sop_instance_uid) == (0xC000, None)


def test_a_caller_that_is_not_known_is_not_authorised(installed: Installation) -> None:
    assert receive_part(installed.intake, part(FILE), "NOBODY", None).failure == 0x0124


def test_what_was_cut_off_at_the_limit_is_named(installed: Installation) -> None:
    outcome = receive_part(installed.intake, Part("", bytearray(FILE[:2000]), len(FILE)), "MODALITY", None)
    assert outcome.sop_instance_uid == SMALL.SOPInstanceUID
    assert (outcome.failure, outcome.too_large) == (0xC000, True)
    assert installed.rejections()[-1].sha256 is None

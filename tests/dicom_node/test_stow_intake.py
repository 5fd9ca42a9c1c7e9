"""One part of a web request through the intake: whatever it holds, it is stored or refused with a status."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom_node.part_arrival import PartArrival
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


def part(
    installed: Installation,
    content: bytes,
    media_type: str = "application/dicom",
    *,
    caller: str = "MODALITY",
    largest: int = 1 << 20,
    pieces: int = 1000,
) -> PartArrival:
    arriving = PartArrival(installed.intake, media_type, caller, largest)
    for begin in range(0, len(content), pieces):
        arriving.write(content[begin : begin + pieces])
    return arriving


def left_over(installed: Installation) -> list[Path]:
    return list(installed.store_path("tmp").iterdir())


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    places=st.lists(st.tuples(st.integers(0, len(FILE) - 1), st.integers(0, 255)), max_size=4),
    length=st.one_of(st.none(), st.integers(0, len(FILE))),
    study=st.sampled_from([None, str(SMALL.StudyInstanceUID), "1.2.3"]),
    pieces=st.integers(1, len(FILE)),
)
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_is_stored_or_refused_for_a_reason(
    installed: Installation, places: list[tuple[int, int]], length: int | None, study: str | None, pieces: int
) -> None:
    damaged = bytearray(FILE)
    for place, value in places:
        damaged[place] = value
    before = len(installed.rejections())
    outcome = receive_part(installed.intake, part(installed, bytes(damaged[:length]), pieces=pieces), study)
    assert outcome.failure in REASONS
    assert not outcome.may_pass
    refused = len(installed.rejections()) - before
    assert refused >= (outcome.failure is not None)
    assert left_over(installed) == []


@pytest.mark.parametrize("media_type", ["application/dicom+json", "application/octet-stream", "image/jpeg"])
def test_a_part_of_another_type_is_refused(installed: Installation, media_type: str) -> None:
    outcome = receive_part(installed.intake, part(installed, FILE, media_type), None)
    assert (outcome.failure, outcome.sop_instance_uid) == (0xC000, None)


def test_a_caller_that_is_not_known_is_not_authorised(installed: Installation) -> None:
    assert receive_part(installed.intake, part(installed, FILE, caller="NOBODY"), None).failure == 0x0124


@pytest.mark.parametrize("pieces", [100, 1 << 20])
def test_what_is_over_the_limit_is_named_and_leaves_nothing(installed: Installation, pieces: int) -> None:
    outcome = receive_part(installed.intake, part(installed, FILE, largest=2000, pieces=pieces), None)
    assert outcome.sop_instance_uid == SMALL.SOPInstanceUID
    assert (outcome.failure, outcome.too_large) == (0xC000, True)
    assert installed.rejections()[-1].sha256 is None
    assert str(len(FILE)) in installed.rejections()[-1].detail
    assert left_over(installed) == []


def test_a_long_part_is_on_disk_and_not_in_memory_while_it_arrives(installed: Installation) -> None:
    arriving = part(installed, FILE + bytes(70_000), largest=1 << 30)
    tracemalloc.start()
    for _ in range(300):
        arriving.write(bytes(100_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    [file] = left_over(installed)
    arriving.discard()
    assert peak < 1_000_000
    assert file.exists() is False


def test_a_part_that_was_begun_before_the_node_stops_is_kept_and_the_next_is_not(tmp_path: Path) -> None:
    with installation(tmp_path / "stopping") as stopping:
        begun = part(stopping, FILE + bytes(70_000), largest=1 << 20)
        stopping.intake.shutting_down.set()
        late = part(stopping, FILE + bytes(70_000), largest=1 << 20)
        assert receive_part(stopping.intake, late, None).failure == 0xA700
        assert receive_part(stopping.intake, begun, None).failure is None

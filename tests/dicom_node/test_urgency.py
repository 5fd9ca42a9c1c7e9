"""How urgent an image is: what the site says of its sender, then C-MOVE, command and header; over real associations."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_node.urgency import NO_COMMAND, CommandFacts, CommandPriority, UrgencyRules
from service.priorities import Deadlines, Priority
from tests.dicom_node.factories import radiograph
from tests.dicom_node.running_node import MODALITY, associate, installation, listening

HIGH, LOW, MEDIUM = (CommandFacts(priority=int(value)) for value in (CommandPriority.HIGH, 2, 0))
PULLED = CommandFacts(priority=1, move_originator="SOFTRAY")
MOVED_BY_ANOTHER = CommandFacts(move_originator="WORKSTATION")


def requested(priority: str) -> Dataset:
    header = Dataset()
    header.RequestedProcedurePriority = priority
    return header


@pytest.mark.parametrize(
    ("command", "header", "expected"),
    [
        (NO_COMMAND, Dataset(), Priority.ROUTINE),
        (MEDIUM, Dataset(), Priority.ROUTINE),
        (LOW, Dataset(), Priority.ROUTINE),
        (HIGH, Dataset(), Priority.STAT),
        (PULLED, Dataset(), Priority.PRIOR),
        (PULLED, requested("STAT"), Priority.PRIOR),
        (MOVED_BY_ANOTHER, Dataset(), Priority.ROUTINE),
        (NO_COMMAND, requested("STAT"), Priority.STAT),
        (NO_COMMAND, requested("high "), Priority.STAT),
        (NO_COMMAND, requested("LOW"), Priority.ROUTINE),
    ],
)
def test_the_first_thing_that_was_said_on_purpose_decides(
    command: CommandFacts, header: Dataset, expected: Priority
) -> None:
    assert UrgencyRules(ae_title="SOFTRAY").priority("XRAY1", command, header) is expected


def test_the_site_file_has_the_last_word_on_a_sender() -> None:
    rules = UrgencyRules({"XRAY1": Priority.ROUTINE, "ER": Priority.STAT}, "SOFTRAY")
    assert rules.priority("XRAY1", HIGH, requested("STAT")) is Priority.ROUTINE
    assert rules.priority("ER", LOW, Dataset()) is Priority.STAT


@pytest.mark.parametrize(
    ("priority", "originator", "expected"),
    [(2, None, Priority.ROUTINE), (1, None, Priority.STAT), (0, "SOFTRAY", Priority.PRIOR)],
)
def test_what_the_command_says_reaches_the_job_with_its_deadline(
    tmp_path: Path, priority: int, originator: str | None, expected: Priority
) -> None:
    rules = UrgencyRules(ae_title="SOFTRAY", deadlines=Deadlines(stat_s=300))
    with installation(tmp_path) as installed, listening(installed, urgency=rules) as node:
        image = radiograph()
        association = associate(node.port, [image.SOPClassUID])
        answer = association.send_c_store(
            image, priority=priority, originator_aet=originator, originator_id=1 if originator else None
        )
        association.release()
        assert answer.Status == 0
        [job] = installed.jobs()
    assert (job.priority, job.source) == (expected, MODALITY)
    assert job.due_at == (job.created_at + timedelta(seconds=300) if expected is Priority.STAT else None)

"""Under load, with the network replaced by an exact copy step: many senders at once, and silent neighbours of a PACS.

The long forms, with their figures, are `benchmarks.load` and docs/load.md.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from pathlib import Path

import pytest

from benchmarks.load.equality import Equality, compare
from benchmarks.load.radiographs import write_radiographs
from benchmarks.load.receiver import running_receiver
from benchmarks.load.senders import Modalities
from benchmarks.load.stages import image_records
from benchmarks.load.system import running_system
from benchmarks.load.watch import wait_until
from dicom_node.stand_in_pacs import StandInPacs
from dicom_node.status import SUCCESS
from service.registry.job_states import DeliveryState

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("storescu") is None, reason="DCMTK (storescu) is not installed"),
]
SENDERS = 32
SILENT = 4


def test_what_many_senders_send_at_once_arrives_once_and_whole(tmp_path: Path) -> None:
    radiographs = write_radiographs(tmp_path / "images", SENDERS, side=64)
    with (
        running_receiver(tmp_path / "archive") as archive,
        running_system(
            tmp_path / "system",
            {"archive": (archive.ae_title, archive.port)},
            embedded=True,
            MAX_ASSOCIATIONS=str(SENDERS),
        ) as system,
    ):
        acceptance = Modalities(tmp_path / "senders", system.service.settings.dicom_port, SENDERS, 1).send(radiographs)
        assert acceptance.rejected_associations == 0
        wait_until(lambda: archive.number_received() >= SENDERS, 90)
        records = image_records(system.service.sessions)
        equality = compare(radiographs, acceptance, records, archive)
        assert equality == Equality(SENDERS, SENDERS, SENDERS, SENDERS, lost=0, twice=0, foreign=0, other_pixels=0)
        assert archive.associations < SENDERS / 2  # results that follow each other share one
        system.service.stop()
        assert wait_until(lambda: bool(archive.received()) and archive.released == archive.associations, 10)


def test_however_many_neighbours_are_silent_a_pacs_gets_its_results(tmp_path: Path) -> None:
    over = threading.Event()

    def never(_: str) -> int:
        over.wait()
        return SUCCESS

    radiographs = write_radiographs(tmp_path / "images", 6, side=64)
    with contextlib.ExitStack() as peers:
        archive = peers.enter_context(running_receiver(tmp_path / "archive"))
        silent = {}
        for number in range(SILENT):
            pacs = StandInPacs(tmp_path / f"silent{number}", ae_title=f"SILENT{number}", answer=never)
            peers.enter_context(pacs)
            silent[f"silent{number}"] = (pacs.ae_title, pacs.port)
        archives = {**silent, "archive": (archive.ae_title, archive.port)}
        system = peers.enter_context(running_system(tmp_path / "system", archives, embedded=True))
        peers.callback(over.set)  # first of all at the end: the worker finishes what it has in hand before it stops
        Modalities(tmp_path / "senders", system.service.settings.dicom_port, 1, 6).send(radiographs)
        # Far less than the 60 s after which a silent node is given up for the first time.
        assert wait_until(lambda: system.deliveries_to("archive").get(DeliveryState.SENT, 0) == 6, 40)
        for name in silent:
            assert set(system.deliveries_to(name)) <= {DeliveryState.PENDING, DeliveryState.SENDING}

"""Small radiographs, each with pixels of its own, and the modality that sends them and keeps what was not taken."""

from __future__ import annotations

import copy
import hashlib
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from pydicom import Dataset
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation
from pynetdicom import AE

from dicom_node.radiograph import wrap_radiograph
from tests.radiographs import phantom

SIDE = 64
CALLING_AE_TITLE = "MODALITY"
ROOT = "1.2.826.0.1.3680043.10.954.7"
PAUSE_S = 0.25


@dataclass
class Image:
    """One radiograph and what its sender knows of it. `acknowledged_at` None: no 0x0000 came (wall clock otherwise)."""

    number: int
    dataset: Dataset
    pixel_sha256: str
    acknowledged_at: float | None = None
    attempts: int = 0

    @property
    def sop_instance_uid(self) -> str:
        """Of the source."""
        return str(self.dataset.SOPInstanceUID)

    @property
    def study_instance_uid(self) -> str:
        """Each has a study to itself."""
        return str(self.dataset.StudyInstanceUID)


class Radiographs:
    """Makes images; `seed` makes those of another run different."""

    def __init__(self, seed: int) -> None:
        made = phantom(SIDE)
        self._template = wrap_radiograph(made.radiograph, imager_pixel_spacing_mm=made.pixel_spacing_mm)
        self._stored = np.frombuffer(self._template.PixelData, np.uint16).reshape(SIDE, SIDE)
        self._root = f"{ROOT}.{seed}"
        self._lock = threading.Lock()
        self._made = 0

    def make(self) -> Image:
        """The next image."""
        with self._lock:
            self._made += 1
            number = self._made
        dataset = copy.deepcopy(self._template)
        dataset.StudyInstanceUID = f"{self._root}.{number}"
        dataset.SeriesInstanceUID = f"{self._root}.{number}.1"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"{self._root}.{number}.1.1")
        dataset.IrradiationEventUID = f"{self._root}.{number}.9"
        stored = self._stored.copy()
        bits = np.array([(number >> bit) & 1 for bit in range(24)], np.uint16)
        stored[SIDE // 2, 20:44] ^= bits  # the last bit of some grey values says which image it is
        dataset.PixelData = stored.tobytes()
        return Image(number, dataset, hashlib.sha256(stored.tobytes()).hexdigest())


def send(image: Image, port: int, *, give_up_after_s: float, timeout_s: float) -> bool:
    """Send as a modality does, again and again until it is taken. True: the answer was 0x0000.

    `give_up_after_s` 0: once only.
    """
    deadline = time.monotonic() + give_up_after_s
    while True:
        image.attempts += 1
        if _send_once(image, port, timeout_s):
            image.acknowledged_at = datetime.now(UTC).timestamp()
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_S)


def _send_once(image: Image, port: int, timeout_s: float) -> bool:
    entity = AE(ae_title=CALLING_AE_TITLE)
    entity.connection_timeout = entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = timeout_s
    entity.add_requested_context(DigitalXRayImageStorageForPresentation)
    try:
        association = entity.associate("127.0.0.1", port, ae_title="SOFTRAY")
        if not association.is_established:
            return False
        try:
            answer = association.send_c_store(image.dataset)
            return "Status" in answer and answer.Status == 0x0000
        finally:
            if association.is_established:
                association.release()
    except (OSError, RuntimeError, ValueError):
        return False

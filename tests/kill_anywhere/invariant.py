"""The promise, checked where it counts: in the PACS and in the registry.

Every acknowledged image ends as exactly one result in the PACS, by SOP Instance UID and by digest, or as one visible
failure. An image that was never acknowledged may be absent, but is never there by halves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import httpx
import pydicom
from sqlalchemy import select

from service.database import transaction
from service.errors import SoftrayError
from service.registry.job_states import JobState
from service.registry.result_kinds import ResultKind
from service.registry.tables import Instance, Job, Result
from tests.kill_anywhere.images import Image
from tests.kill_anywhere.installation import Installation

ENDED = frozenset({JobState.COMMITTED, JobState.FAILED, JobState.REFUSED})


@dataclass(frozen=True)
class Row:
    """What the registry has of an image."""

    state: JobState
    reason_code: str | None
    job_id: str
    path: str
    sha256: str
    results: tuple[tuple[ResultKind, str, str, str], ...]
    """(kind, SOP Instance UID, path, sha256) each."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong, each as one line; all empty: the promise was kept."""

    lost: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    half: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    """Visible failures that nothing in the test asked for: not against the promise, but worth a look."""

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.lost + other.lost, self.twice + other.twice, self.half + other.half, self.failed + other.failed
        )

    @property
    def broken(self) -> tuple[str, ...]:
        """Everything against the promise."""
        return self.lost + self.twice + self.half

    @property
    def kept(self) -> bool:
        """Whether nothing was lost, doubled or left half-done."""
        return not self.broken


def rows_of(images: Sequence[Image], installation: Installation) -> dict[str, list[Row]]:
    """The jobs of these images by SOP Instance UID; absent: the registry does not know it."""
    uids = [image.sop_instance_uid for image in images]
    with transaction(installation.sessions, read_only=True) as session:
        jobs = session.execute(
            select(Instance.sop_instance_uid, Instance.path, Instance.sha256, Job.id, Job.state, Job.reason_code)
            .outerjoin(Job, Job.instance_id == Instance.id)
            .where(Instance.sop_instance_uid.in_(uids))
        ).all()
        results = session.execute(
            select(Result.job_id, Result.kind, Result.sop_instance_uid, Result.path, Result.sha256).where(
                Result.job_id.in_([job.id for job in jobs])
            )
        ).all()
    found: dict[str, list[Row]] = {}
    for job in jobs:
        own = tuple((r.kind, r.sop_instance_uid, r.path, r.sha256) for r in results if r.job_id == job.id)
        row = Row(job.state, job.reason_code, job.id, job.path, job.sha256, own)
        found.setdefault(job.sop_instance_uid, []).append(row)
    return found


def unsettled(images: Sequence[Image], installation: Installation) -> list[Image]:
    """Those that are acknowledged or known, and have not come to their end."""
    rows = rows_of(images, installation)

    def waits(image: Image) -> bool:
        found = rows.get(image.sop_instance_uid, [])
        if not found:
            return image.acknowledged_at is not None
        return any(row.state not in ENDED for row in found)

    return [image for image in images if waits(image)]


def check(images: Sequence[Image], installation: Installation) -> Verdict:
    """Look at every image, in the registry, the instance store and the PACS."""
    rows = rows_of(images, installation)
    verdict = Verdict()
    with httpx.Client(base_url=installation.orthanc.http_url, timeout=30) as pacs:
        for image in images:
            verdict += _check_one(image, rows.get(image.sop_instance_uid, []), installation, pacs)
    return verdict


def count_in_pacs(installation: Installation) -> int:
    """Every instance that the PACS has."""
    return len(installation.orthanc.instances())


def _check_one(image: Image, rows: list[Row], installation: Installation, pacs: httpx.Client) -> Verdict:
    name = f"image {image.number}"
    query = {"Level": "Instance", "Expand": True, "Query": {"StudyInstanceUID": image.study_instance_uid}}
    there = pacs.post("/tools/find", json=query).raise_for_status().json()
    if not rows:
        lost = (f"{name}: acknowledged, and the registry does not know it",) if image.acknowledged_at else ()
        return Verdict(lost, half=(f"{name}: in the PACS without a row",) if there else ())
    verdict = Verdict(twice=(f"{name}: {len(rows)} jobs",) if len(rows) > 1 else ())
    row = rows[0]
    try:
        installation.store.read(row.path, row.sha256)
    except SoftrayError as error:
        verdict += Verdict(half=(f"{name}: a row without its file ({error.code})",))
    if len(there) > 1:
        verdict += Verdict(twice=(f"{name}: {len(there)} instances in the PACS",))
    if row.state not in ENDED:
        return verdict + Verdict(lost=(f"{name}: job {row.job_id} stands still, {row.state}",))
    if row.state is not JobState.COMMITTED:
        if not row.reason_code:
            return verdict + Verdict(lost=(f"{name}: job {row.job_id} {row.state} without a reason",))
        unfit = installation.control.unfit(image.sop_instance_uid).exists()
        return verdict if unfit else verdict + Verdict(failed=(f"{name}: {row.state} {row.reason_code}",))
    return verdict + _check_delivered(name, image, row, there, installation, pacs)


def _check_delivered(
    name: str, image: Image, row: Row, there: list[dict[str, object]], installation: Installation, pacs: httpx.Client
) -> Verdict:
    if not there:
        return Verdict(lost=(f"{name}: COMMITTED, and the PACS does not have it",))
    if len(row.results) != 1:
        return Verdict(twice=(f"{name}: {len(row.results)} results",))
    [(_, sop_instance_uid, path, sha256)] = row.results
    try:
        kept = installation.store.read(path, sha256)
    except SoftrayError as error:
        return Verdict(half=(f"{name}: a result without its file ({error.code})",))
    received = pacs.get(f"/instances/{there[0]['ID']}/file").raise_for_status().content
    if _data_set(received) != _data_set(kept):
        return Verdict(lost=(f"{name}: the PACS has other bytes than were made",))
    dataset = pydicom.dcmread(BytesIO(received))
    if dataset.SOPInstanceUID != sop_instance_uid:
        return Verdict(lost=(f"{name}: the PACS has another SOP Instance UID",))
    if hashlib.sha256(dataset.PixelData).hexdigest() != image.pixel_sha256:
        return Verdict(lost=(f"{name}: the PACS has another picture than was sent",))
    return Verdict()


def _data_set(file: bytes) -> str:
    """The digest of a DICOM file without its File Meta Information, which names who wrote it (PS3.10 §7.1)."""
    length = 132 + 12 + int.from_bytes(file[140:144], "little")
    return hashlib.sha256(file[length:]).hexdigest()

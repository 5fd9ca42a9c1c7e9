"""What has to happen first for a point to be passed: a message or a report lost, a job retried, one more image."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import httpx

from service.errors import SoftrayError
from service.registry.job_states import JobState
from tests.kill_anywhere.crash_points import Action
from tests.kill_anywhere.images import Image, send
from tests.kill_anywhere.injection import NEEDED_POINT, Injection
from tests.kill_anywhere.installation import Installation
from tests.kill_anywhere.invariant import rows_of
from tests.kill_anywhere.points import Need

AGAIN_AFTER_S = 3.0
FAILED_WITHIN_S = 20.0
RETRIED_WITHIN_S = 40.0


class Provocation:
    """What a round needs; at the end of the block nothing is in anybody's way any more."""

    def __init__(
        self,
        injections: Sequence[Injection],
        installation: Installation,
        make_image: Callable[[], Image],
        more_images: Callable[[int], None],
    ) -> None:
        self._installation = installation
        self._more_images = more_images
        self._needs = {injection.point.need for injection in injections}
        self._open = {injection.point.key: injection for injection in injections}
        self._lock = threading.Lock()
        self._next = time.monotonic() + AGAIN_AFTER_S
        self._retry: threading.Thread | None = None
        self._unfit: Image | None = make_image() if Need.RETRY in self._needs else None

    def __enter__(self) -> Self:
        if self._unfit is not None:
            self._fail(self._unfit)
        return self

    @property
    def images(self) -> list[Image]:
        """The image whose job has failed and is retried."""
        return [] if self._unfit is None else [self._unfit]

    def begin(self) -> None:
        """The round's points are armed and its images on their way."""
        self._lose()
        if Need.LOST_REPORT in self._needs:
            self._installation.reports.refuse(True)
            self._installation.reports.cut()
        if self._unfit is not None:
            self._retry = threading.Thread(target=self._retry_it, args=(self._unfit,), name="administrator")
            self._retry.start()

    def more_for(self, injection: Injection) -> None:
        """Called while the point of `injection` is waited for: now and then one more image, one more loss."""
        with self._lock:
            if time.monotonic() < self._next:
                return
            self._next = time.monotonic() + AGAIN_AFTER_S
        self._lose()
        self._more_images(1)

    def satisfied(self, injection: Injection) -> None:
        """The point was reached."""
        with self._lock:
            self._open.pop(injection.point.key, None)
        if injection.point.need is Need.LOST_REPORT:
            self._installation.reports.refuse(False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._installation.reports.refuse(False)
        for key in NEEDED_POINT.values():
            self._installation.control.disarm(key)
        if self._retry is not None:
            self._retry.join(RETRIED_WITHIN_S + 10)

    def _lose(self) -> None:
        with self._lock:
            needs = {injection.point.need for injection in self._open.values()}
        for need, key in NEEDED_POINT.items():
            if need in needs:
                self._installation.control.arm(key, Action.SKIP)

    def _fail(self, image: Image) -> None:
        """Have a job that has failed, visibly."""
        installation = self._installation
        installation.control.unfit(image.sop_instance_uid).touch()
        send(image, installation.sender_port, give_up_after_s=FAILED_WITHIN_S, timeout_s=5)
        deadline = time.monotonic() + FAILED_WITHIN_S
        while self._state(image) is not JobState.FAILED and time.monotonic() < deadline:
            time.sleep(0.1)
        installation.control.unfit(image.sop_instance_uid).unlink()

    def _retry_it(self, image: Image) -> None:
        """As an administrator does it over REST, again until the job is no longer FAILED."""
        deadline = time.monotonic() + RETRIED_WITHIN_S
        while time.monotonic() < deadline:
            try:
                rows = rows_of([image], self._installation).get(image.sop_instance_uid)
                if not rows or rows[0].state is not JobState.FAILED:
                    return
                self._ask_for_retry(rows[0].job_id)
            except (SoftrayError, httpx.HTTPError):
                pass
            time.sleep(0.3)

    def _ask_for_retry(self, job_id: str) -> None:
        url = f"http://127.0.0.1:{self._installation.settings.api_port}/api/v1/jobs/{job_id}/retry"
        httpx.post(url, timeout=5)

    def _state(self, image: Image) -> JobState | None:
        try:
            rows = rows_of([image], self._installation).get(image.sop_instance_uid)
        except SoftrayError:
            return None
        return rows[0].state if rows else None

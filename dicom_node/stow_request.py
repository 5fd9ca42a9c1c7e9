"""The body of one STOW-RS request, written into the instance store while it arrives.

Each instance is kept before the next one is read, so a sender is slowed down to what the disk takes. What was kept
before a body broke off stays kept, and is answered as stored. A sender must bring as much in its time as at the other
door (`socket_reader`).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from dicom_node.errors import MultipartError
from dicom_node.intake import Intake
from dicom_node.multipart_related import PartBegan, PartContent, PartEvent, PartParser
from dicom_node.part_arrival import PartArrival
from dicom_node.socket_reader import PROGRESS_BYTES
from dicom_node.status import CANNOT_UNDERSTAND
from dicom_node.store_instances_response import InstanceOutcome, JsonDataSet, http_status_of, response_body
from dicom_node.stow_intake import receive_part, record_refused_request
from service.errors import TransientError
from service.logs import log_event

logger = logging.getLogger(__name__)

SENDER_LEFT = "SENDER_LEFT"
SENDER_SILENT = "SENDER_SILENT"
DISCARDED_BYTES = 64 * 1024 * 1024
DISCARDING_S = 5.0


@dataclass(frozen=True)
class Reception:
    """What became of each part that came whole, in order, and why no more of them came."""

    outcomes: tuple[InstanceOutcome, ...]
    malformed: MultipartError | None

    @property
    def stored(self) -> int:
        """How many instances are kept."""
        return sum(outcome.failure is None for outcome in self.outcomes)

    def answer(self) -> tuple[int, JsonDataSet]:
        """HTTP status and body. What broke off after instances were kept counts as one more, unnamed failure."""
        rest = (InstanceOutcome(None, None, failure=CANNOT_UNDERSTAND),) if self.malformed else ()
        outcomes = self.outcomes + rest
        return http_status_of(outcomes), response_body(outcomes)


async def receive_body(
    body: AsyncIterator[bytes],
    parser: PartParser,
    intake: Intake,
    calling_ae_title: str,
    study_instance_uid: str | None,
    *,
    max_part_bytes: int,
    silence_s: float,
) -> Reception:
    """Receive every part of `body`. Too little in `silence_s`, or a sender that leaves, ends it as malformed."""
    parts = _Parts(intake, calling_ae_title, study_instance_uid, max_part_bytes)
    malformed: MultipartError | None = None
    try:
        async for piece in _impatient(body, silence_s):
            events = parser.feed(piece)
            if events:
                await run_in_threadpool(parts.take, events)
        parser.finish()
        if not parts.outcomes:
            raise MultipartError("NO_INSTANCES", "expected at least one part, found none")
    except MultipartError as error:
        malformed = error
    except ClientDisconnect:
        malformed = MultipartError(SENDER_LEFT, "the sender closed the connection before the end of the body")
    finally:
        parts.discard()
    if malformed is not None:
        await run_in_threadpool(record_malformed, intake, calling_ae_title, malformed)
    return Reception(tuple(parts.outcomes), malformed)


class _Parts:
    """The parts of one request, one after another; `outcomes` of those that came whole."""

    def __init__(
        self, intake: Intake, calling_ae_title: str, study_instance_uid: str | None, max_part_bytes: int
    ) -> None:
        self.outcomes: list[InstanceOutcome] = []
        self._intake = intake
        self._calling_ae_title = calling_ae_title
        self._study_instance_uid = study_instance_uid
        self._max_part_bytes = max_part_bytes
        self._arriving: PartArrival | None = None
        self._lock = threading.Lock()  # a request that is broken off does not wait for its thread
        self._over = False

    def take(self, events: Sequence[PartEvent]) -> None:
        """On a thread that may wait for the disk and the registry."""
        for event in events:
            with self._lock:
                if not self._over:
                    self._take(event)

    def discard(self) -> None:
        """Take nothing more, and remove what has come of a part without an end."""
        with self._lock:
            self._over = True
            if self._arriving is not None:
                self._arriving.discard()
                self._arriving = None

    def _take(self, event: PartEvent) -> None:
        if isinstance(event, PartBegan):
            self._arriving = PartArrival(self._intake, event.media_type, self._calling_ae_title, self._max_part_bytes)
        elif self._arriving is None:
            return
        elif isinstance(event, PartContent):
            self._arriving.write(event.content)
        else:
            arrived, self._arriving = self._arriving, None
            self.outcomes.append(receive_part(self._intake, arrived, self._study_instance_uid))


async def discard(body: AsyncIterator[bytes]) -> None:
    """Read what is still coming of a refused request, for a while; nothing is raised."""
    left = DISCARDED_BYTES
    with suppress(TimeoutError, ClientDisconnect, RuntimeError):  # RuntimeError: it was read to its end already
        async with asyncio.timeout(DISCARDING_S):
            async for piece in body:
                left -= len(piece)
                if left < 0:
                    return


async def _impatient(body: AsyncIterator[bytes], silence_s: float) -> AsyncIterator[bytes]:
    """The pieces of `body`, of which PROGRESS_BYTES, or the rest, must come for each `silence_s` that is waited."""
    left, progress = silence_s, 0
    while True:
        began = time.monotonic()
        try:
            async with asyncio.timeout(left):
                piece = await anext(body)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise MultipartError(SENDER_SILENT, f"expected more of the body within {silence_s:g} s") from None
        left -= time.monotonic() - began  # only what was waited for the sender, not what the disk took
        progress += len(piece)
        if progress >= PROGRESS_BYTES:
            left, progress = silence_s, 0
        yield piece


def record_malformed(intake: Intake, calling_ae_title: str, malformed: MultipartError) -> None:
    """Log and record a request of which a part, or all, could not be taken."""
    log_event(
        logger,
        "web_request_malformed",
        level=logging.WARNING,
        calling_ae_title=calling_ae_title,
        reason_code=malformed.code,
        reason=malformed.message,
    )
    # Without a registry it stands in the log only.
    with suppress(TransientError):
        record_refused_request(intake, calling_ae_title, malformed.code, malformed.message)

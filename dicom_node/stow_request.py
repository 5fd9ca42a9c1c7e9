"""The body of one STOW-RS request, received part by part while it arrives.

Each instance is kept before the next one is read, so a sender is slowed down to what the disk takes. What was kept
before a body broke off stays kept, and is answered as stored.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from dicom_node.errors import MultipartError
from dicom_node.intake import Intake
from dicom_node.multipart_related import PartParser
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
    silence_s: float,
) -> Reception:
    """Receive every part of `body`. A pause longer than `silence_s`, or a sender that leaves, ends it as malformed."""
    outcomes: list[InstanceOutcome] = []
    malformed: MultipartError | None = None
    try:
        async for piece in _impatient(body, silence_s):
            for part in parser.feed(piece):
                outcomes.append(
                    await run_in_threadpool(receive_part, intake, part, calling_ae_title, study_instance_uid)
                )
        parser.finish()
        if not outcomes:
            raise MultipartError("NO_INSTANCES", "expected at least one part, found none")
    except MultipartError as error:
        malformed = error
    except ClientDisconnect:
        malformed = MultipartError(SENDER_LEFT, "the sender closed the connection before the end of the body")
    if malformed is not None:
        await run_in_threadpool(record_malformed, intake, calling_ae_title, malformed)
    return Reception(tuple(outcomes), malformed)


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
    while True:
        try:
            async with asyncio.timeout(silence_s):
                piece = await anext(body)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise MultipartError(SENDER_SILENT, f"expected more of the body within {silence_s:g} s") from None
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

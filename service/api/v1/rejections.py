"""What was not processed: objects refused or set aside, and images that are not ours."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.orm import Session

from service.api.dependencies import PageWanted, ReadSession
from service.api.paging import Page, read_page, require_key
from service.api.problems import problems
from service.api.schemas import Instance, NotProcessed, Rejection, Rejections
from service.registry import queries
from service.registry.keyset import Key

router = APIRouter(tags=["rejections"])


@router.get("/rejections", summary="List refused objects", responses=problems(422, 500, 503))
def list_rejections(session: ReadSession, page: PageWanted) -> Rejections:
    """What was refused, or kept in the quarantine, and did not become an image; newest first, with the reason."""
    return found_rejections(session, page)


@router.get("/not-processed", summary="List images that are not ours", responses=problems(422, 500, 503))
def list_not_processed(session: ReadSession, page: PageWanted) -> NotProcessed:
    """Images that were received and kept but not accepted for processing, such as a lateral view; newest first.

    The sender was answered Success: nothing is wrong with these images, they are just not for softray.
    """
    return found_not_processed(session, page)


def found_rejections(session: Session, page: Page) -> Rejections:
    """One page of refused objects."""
    found = read_page(
        page,
        lambda limit, after: queries.list_rejections(session, limit=limit, after=_by_number(after)),
        lambda row: Key(row.row_id),
    )
    return Rejections(items=[Rejection.model_validate(row) for row in found.rows], next_cursor=found.next_cursor)


def found_not_processed(session: Session, page: Page) -> NotProcessed:
    """One page of images that were not accepted."""
    found = read_page(
        page,
        lambda limit, after: queries.list_ineligible(session, limit=limit, after=_by_number(after)),
        lambda row: Key(row.row_id),
    )
    return NotProcessed(items=[Instance.model_validate(row) for row in found.rows], next_cursor=found.next_cursor)


def _by_number(after: Key | None) -> Key | None:
    return require_key(after, kind=int, timed=False)

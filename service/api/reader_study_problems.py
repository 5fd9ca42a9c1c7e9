"""What is wrong with a request about reader studies, as an answer; and who may be a reader."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from fastapi import Request

from service.access.principals import Principal
from service.api.problems import ProblemError
from service.audit.events import ActorKind
from service.errors import PermanentError

STATUS = {
    "READER_STUDY_UNKNOWN": 404,
    "READING_UNKNOWN": 404,
    "RESULT_MISSING": 404,
    "NOT_A_READER": 403,
    "READER_STUDY_EXISTS": 409,
    "TRUTH_LIST_MISSING": 409,
}


@contextmanager
def answered() -> Iterator[None]:
    """Turn a refusal of the registry into the answer it is; what is not named above is the caller's mistake, 422."""
    try:
        yield
    except PermanentError as error:
        raise ProblemError(STATUS.get(error.code, 422), error.code, error.message) from error


def reader_name(request: Request) -> str:
    """The account that reads. Marks and scores are a person's: a token, which a program has, is refused."""
    principal = cast(Principal, request.state.principal)
    if principal.kind not in {ActorKind.USER, ActorKind.LOCAL}:
        raise ProblemError(403, "READER_IS_NO_PERSON", "reading needs the login of a person, not a token")
    return principal.name

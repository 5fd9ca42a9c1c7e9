"""Who I am: what a token or a session is good for."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request
from pydantic import Field

from service.access.principals import Principal
from service.access.roles import Right, Role
from service.api.problems import problems
from service.api.schemas import Answer
from service.audit.events import ActorKind

router = APIRouter(tags=["access"])


class Me(Answer):
    """Whose credentials came with the request."""

    name: str = Field(description="The account, or the token's name.")
    kind: ActorKind = Field(description="USER, TOKEN, FIRST_START, or LOCAL where no login is asked for.")
    role: Role
    rights: list[Right] = Field(description="What they may do.")


@router.get("/me", summary="Who I am", responses=problems(401, 403, 500, 503))
def read_me(request: Request) -> Me:
    """Name, role and rights of whoever asks; for trying a token out."""
    principal = cast(Principal, request.state.principal)
    return Me(name=principal.name, kind=principal.kind, role=principal.role, rights=sorted(principal.rights))

"""A query parameter that a route does not know is refused: a misspelt filter would otherwise show everything."""

from __future__ import annotations

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from service.api.problems import ProblemDetail, ProblemError


def require_known_parameters(request: Request) -> None:
    """Raises ProblemError 422 that names what is unknown by what is known, and not by what was typed."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not request.query_params:
        return
    known = _names(route.dependant)
    if not set(request.query_params) <= known:
        expected = f"expected only these: {', '.join(sorted(known))}" if known else "expected none"
        raise ProblemError(
            422, "INVALID_REQUEST", "a parameter is not known", [ProblemDetail(subject="query", message=expected)]
        )


def _names(dependant: Dependant) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    return names.union(*(_names(part) for part in dependant.dependencies))

"""The OpenAPI description, with the media type that errors really have, and what each operation asks for."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api.problems import DESCRIPTIONS, PROBLEM_MEDIA_TYPE
from service.api.route_rules import Rule, find_rule

TOKEN = "token"

TAGS = [
    {"name": "health", "description": "Is the process alive, and may work be sent to it."},
    {"name": "studies", "description": "Studies received, their images, and what became of each."},
    {"name": "jobs", "description": "One job per accepted image: state, history, deliveries, previews, retry."},
    {"name": "recalls", "description": "Results taken back: proposed by one person, approved by another."},
    {"name": "rejections", "description": "Objects that were refused or set aside, with the reason."},
    {"name": "remote nodes", "description": "AE titles that may send, and those that results are delivered to."},
    {"name": "access", "description": "Whose credentials came with the request, and what they are good for."},
    {"name": "reader studies", "description": "Scores of results, and blinded reading lists with their reports."},
    {"name": "version", "description": "Which release is running."},
]


def describe(app: FastAPI) -> None:
    """Make `app.openapi()` say `application/problem+json` where FastAPI assumes `application/json`."""

    def openapi() -> dict[str, object]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes, tags=TAGS
            )
            schema.setdefault("components", {})["securitySchemes"] = {TOKEN: {"type": "http", "scheme": "bearer"}}
            for address, path in schema["paths"].items():
                for method, operation in path.items():
                    _say_who_may(operation, find_rule(method.upper(), address))
                    for status, response in operation["responses"].items():
                        if status >= "400" and "application/json" in response.get("content", {}):
                            response["content"] = {PROBLEM_MEDIA_TYPE: response["content"]["application/json"]}
            # FastAPI's own validation error is never sent: problems.py answers 422 with a Problem.
            for unused in ("HTTPValidationError", "ValidationError"):
                schema.get("components", {}).get("schemas", {}).pop(unused, None)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _say_who_may(operation: dict[str, Any], rule: Rule | None) -> None:
    """What the gate asks for stands with each operation, not only in the gate."""
    if rule is None or rule.right is None:
        return
    operation["security"] = [{TOKEN: []}]
    operation["description"] = f"{operation.get('description', '')}\n\nNeeds the right {rule.right}.".strip()
    for status in (401, 403, 429, *((411, 413) if "requestBody" in operation else ())):
        reference = {"$ref": "#/components/schemas/Problem"}
        refusal = {"description": DESCRIPTIONS[status], "content": {PROBLEM_MEDIA_TYPE: {"schema": reference}}}
        operation["responses"].setdefault(str(status), refusal)
    operation["responses"] = dict(sorted(operation["responses"].items()))

"""The OpenAPI description, with the media type that errors really have."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api.problems import PROBLEM_MEDIA_TYPE

TAGS = [
    {"name": "health", "description": "Is the process alive, and may work be sent to it."},
    {"name": "studies", "description": "Studies received, their images, and what became of each."},
    {"name": "jobs", "description": "One job per accepted image: state, history, deliveries, previews, retry."},
    {"name": "rejections", "description": "Objects that were refused or set aside, with the reason."},
    {"name": "remote nodes", "description": "AE titles that may send, and those that results are delivered to."},
    {"name": "version", "description": "Which release is running."},
]


def describe(app: FastAPI) -> None:
    """Make `app.openapi()` say `application/problem+json` where FastAPI assumes `application/json`."""

    def openapi() -> dict[str, object]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes, tags=TAGS
            )
            for path in schema["paths"].values():
                for operation in path.values():
                    for status, response in operation["responses"].items():
                        if status >= "400" and "application/json" in response.get("content", {}):
                            response["content"] = {PROBLEM_MEDIA_TYPE: response["content"]["application/json"]}
            # FastAPI's own validation error is never sent: problems.py answers 422 with a Problem.
            for unused in ("HTTPValidationError", "ValidationError"):
                schema.get("components", {}).get("schemas", {}).pop(unused, None)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]

"""The API's OpenAPI description as a page needs it: operations by tag, with parameters and answers in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OpenApi = dict[str, Any]  # the JSON document that FastAPI builds


@dataclass(frozen=True)
class Parameter:
    """A parameter; `place` is `path` or `query`."""

    name: str
    place: str
    description: str


@dataclass(frozen=True)
class Response:
    """A possible answer; `body` is the name of its schema, or "" for a picture."""

    status: str
    description: str
    body: str


@dataclass(frozen=True)
class Operation:
    """One method of one path; `id` is unique on the page."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    responses: tuple[Response, ...]


@dataclass(frozen=True)
class Tag:
    """A group of operations."""

    name: str
    description: str


def operations_by_tag(document: OpenApi) -> list[tuple[Tag, list[Operation]]]:
    """Tags in the order of the document, each with its operations."""
    found: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            found[operation["tags"][0]].append(_operation(method, path, operation))
    return [(Tag(tag["name"], tag["description"]), found[tag["name"]]) for tag in document["tags"]]


def _operation(method: str, path: str, operation: OpenApi) -> Operation:
    parameters = (Parameter(each["name"], each["in"], each["description"]) for each in operation.get("parameters", []))
    responses = (
        Response(status, answer["description"], _body(answer)) for status, answer in operation["responses"].items()
    )
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation["description"],
        parameters=tuple(parameters),
        responses=tuple(responses),
    )


def _body(answer: OpenApi) -> str:
    if "content" not in answer:  # 304
        return ""
    (content,) = answer["content"].values()
    return str(content["schema"].get("$ref", "")).rsplit("/", 1)[-1]

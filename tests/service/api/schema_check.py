"""Checks a JSON value against the part of JSON Schema that FastAPI emits; stricter: unknown properties are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

Schema = dict[str, object]
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}
KNOWN = {
    *("$ref", "anyOf", "type", "enum", "const", "format", "properties", "required", "items", "additionalProperties"),
    *("title", "description", "default", "examples", "propertyNames"),
}


def violations(value: object, schema: Schema, document: Schema, at: str = "$") -> Iterator[str]:
    """Every place where `value` is not what `schema` (a part of the OpenAPI `document`) says."""
    unknown = set(schema) - KNOWN
    assert not unknown, f"{at}: this checker does not know {unknown}"
    if "$ref" in schema:
        yield from violations(value, resolve(str(schema["$ref"]), document), document, at)
        return
    if "anyOf" in schema:
        if not any(not list(violations(value, choice, document, at)) for choice in schema["anyOf"]):
            yield f"{at}: {value!r} is none of {schema['anyOf']}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{at}: expected {schema['const']!r}, found {value!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not in {schema['enum']}"
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind in {"integer", "number"})):
        yield f"{at}: expected {kind}, found {value!r}"
        return
    if schema.get("format") == "date-time" and datetime.fromisoformat(value).utcoffset() is None:
        yield f"{at}: {value!r} has no time zone"
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from violations(item, schema["items"], document, f"{at}[{number}]")
    if isinstance(value, dict):
        yield from _object(value, schema, document, at)


def resolve(reference: str, document: Schema) -> Schema:
    """The schema that `#/…` points at."""
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def _object(value: dict[str, object], schema: Schema, document: Schema, at: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{at}: {name} is missing"
    for name, item in value.items():
        if name in properties:
            yield from violations(item, properties[name], document, f"{at}.{name}")
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from violations(item, schema["additionalProperties"], document, f"{at}.{name}")
            yield from violations(name, schema.get("propertyNames", {}), document, f"{at}.{name}")
        else:
            yield f"{at}: {name} is not in the schema"

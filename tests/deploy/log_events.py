"""The names of the log events in the sources: the second argument of every call of `log_event`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from tests.deploy.dockerfile import ROOT

PACKAGES = ("service", "dicom_node", "worker", "models")
# What a name in a composed event ("inference_postponed") stands for.
PLACES = {"what": ("inference", "notice")}


def log_events() -> dict[str, str]:
    """Each event with the first file that logs it."""
    found: dict[str, str] = {}
    for path in (path for package in PACKAGES for path in sorted(Path(ROOT / package).rglob("*.py"))):
        tree = ast.parse(path.read_text())
        handed_on = {
            function.name
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef) and _hands_on(function)
        }
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if _called(call) == "log_event" and not _is_parameter(call.args[1]):
                names = _names(call.args[1])
            elif _called(call) in handed_on:
                names = _names(call.args[0])
            else:
                continue
            for event in names:
                found.setdefault(event, str(path.relative_to(ROOT)))
    return found


def _hands_on(function: ast.FunctionDef) -> bool:
    """Whether it logs an event whose name is its own first parameter, `event`."""
    first = [argument.arg for argument in function.args.args if argument.arg != "self"][:1]
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call) and _called(node) == "log_event")
    return first == ["event"] and any(_is_parameter(call.args[1]) for call in calls)


def _is_parameter(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Name) and argument.id == "event"


def _called(call: ast.Call) -> str:
    function = call.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _names(argument: ast.expr) -> Iterator[str]:
    """The event; both of a conditional one; each that an f-string can be. Raises AssertionError for any other."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.IfExp):
        yield from _names(argument.body)
        yield from _names(argument.orelse)
    elif isinstance(argument, ast.JoinedStr):
        parts = (_words(part) for part in argument.values)
        yield from ("".join(words) for words in product(*parts))
    else:
        raise AssertionError(f"an event whose name cannot be read from the source: {ast.unparse(argument)}")


def _words(part: ast.expr) -> tuple[str, ...]:
    return PLACES[ast.unparse(part.value)] if isinstance(part, ast.FormattedValue) else (ast.literal_eval(part),)

"""TOML as a run folder keeps it: read with overrides from the command line, written so that it reads back the same."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from models.errors import ConfigError

Table = dict[str, object]


def read_toml(path: Path) -> Table:
    """Raises ConfigError: not readable, or not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected a configuration in TOML, found none ({type(error).__name__})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: expected TOML, found a mistake: {error}") from error


def with_overrides(table: Table, overrides: Sequence[str]) -> Table:
    """A copy with `a.b=value` put in for each override; what is no TOML value is a string. Raises ConfigError."""
    result = _copied(table)
    for override in overrides:
        path, equals, text = override.partition("=")
        names = [name.strip() for name in path.split(".")]
        if not equals or not all(names):
            raise ConfigError(f"--set: expected KEY=VALUE such as training.steps=500, found {override!r}")
        target = result
        for name in names[:-1]:
            inner = target.setdefault(name, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"--set: {path} cannot be set, since {name} is a value and not a table")
            target = inner
        target[names[-1]] = _value(text.strip())
    return result


def to_toml(table: Mapping[str, object]) -> str:
    """The text of a table of tables, strings, numbers, booleans and lists."""
    return "\n".join(_lines(table, ())) + "\n"


def flattened(table: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """`{"a": {"b": 1}}` → `{"a.b": 1}`."""
    flat: dict[str, object] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            flat.update(flattened(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _lines(table: Mapping[str, object], path: tuple[str, ...]) -> list[str]:
    values = {name: value for name, value in table.items() if not isinstance(value, Mapping)}
    tables = {name: value for name, value in table.items() if isinstance(value, Mapping)}
    lines = [f"[{'.'.join(path)}]"] if path and (values or not tables) else []
    lines += [f"{_key(name)} = {_text(value)}" for name, value in values.items()]
    for name, value in tables.items():
        lines += ["", *_lines(value, (*path, _key(name)))]
    return lines


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else _text(name)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(_text(item) for item in value)}]"
    raise ConfigError(f"a configuration holds text, numbers, booleans, lists and tables, found {type(value).__name__}")


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _copied(table: Mapping[str, object]) -> Table:
    return {name: _copied(value) if isinstance(value, Mapping) else value for name, value in table.items()}

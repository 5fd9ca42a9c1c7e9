"""Strict reading of JSON objects into typed values: every field of the right kind, none unknown, none left out."""

from __future__ import annotations

from collections.abc import Mapping

from models.errors import ConfigError


class JsonFields:
    """One JSON object on its way into a dataclass. `where` names it in messages; `finish` refuses what nobody read."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise ConfigError(f"{where}: expected an object, found {type(value).__name__}")
        self._values: dict[str, object] = {str(key): item for key, item in value.items()}
        self._read: set[str] = set()
        self.where = where

    def _take(self, name: str, expected: str, default: object) -> object:
        self._read.add(name)
        if name not in self._values:
            if default is None:
                raise ConfigError(f"{self.where}: field {name!r} is missing, expected {expected}")
            return default
        return self._values[name]

    def _wrong(self, name: str, expected: str, found: object) -> ConfigError:
        return ConfigError(f"{self.where}: field {name!r} must be {expected}, found {found!r}")

    def text(self, name: str, default: str | None = None) -> str:
        """A string."""
        value = self._take(name, "a string", default)
        if not isinstance(value, str):
            raise self._wrong(name, "a string", value)
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of `allowed`."""
        value = self.text(name, default)
        if value not in allowed:
            raise self._wrong(name, f"one of {', '.join(allowed)}", value)
        return value

    def boolean(self, name: str, default: bool | None = None) -> bool:
        """true or false."""
        value = self._take(name, "true or false", default)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false", value)
        return value

    def integer(self, name: str, default: int | None = None, *, low: int, high: int) -> int:
        """A whole number in low … high."""
        expected = f"a whole number in {low} … {high}"
        value = self._take(name, expected, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._wrong(name, expected, value)
        return value

    def number(self, name: str, default: float | None = None, *, low: float, high: float) -> float:
        """A number in low … high."""
        expected = f"a number in {low} … {high}"
        value = self._take(name, expected, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise self._wrong(name, expected, value)
        return float(value)

    def numbers(
        self, name: str, default: tuple[float, ...] | None = None, *, low: float, high: float
    ) -> tuple[float, ...]:
        """A list of numbers in low … high."""
        expected = f"a list of numbers in {low} … {high}"
        value = self._take(name, expected, default)
        if not isinstance(value, list | tuple):
            raise self._wrong(name, expected, value)
        numbers: list[float] = []
        for item in value:
            if not isinstance(item, int | float) or isinstance(item, bool) or not low <= item <= high:
                raise self._wrong(name, expected, value)
            numbers.append(float(item))
        return tuple(numbers)

    def integers(self, name: str, default: tuple[int, ...] | None = None, *, low: int, high: int) -> tuple[int, ...]:
        """A list of whole numbers in low … high."""
        return _integers(
            self._take(name, "a list of whole numbers", default), f"{self.where}: field {name!r}", low, high
        )

    def booleans(self, name: str) -> tuple[bool, ...]:
        """A list of true and false."""
        value = self._take(name, "a list of true and false", None)
        if not isinstance(value, list | tuple) or not all(isinstance(item, bool) for item in value):
            raise self._wrong(name, "a list of true and false", value)
        return tuple(value)

    def integer_rows(self, name: str, length: int, *, low: int, high: int) -> tuple[tuple[int, ...], ...]:
        """A list of lists of `length` whole numbers in low … high."""
        rows = self._take(name, f"a list of rows of {length} whole numbers", None)
        if not isinstance(rows, list | tuple):
            raise self._wrong(name, f"a list of rows of {length} whole numbers", rows)
        result = tuple(_integers(row, f"{self.where}: field {name!r}", low, high) for row in rows)
        if any(len(row) != length for row in result):
            raise self._wrong(name, f"a list of rows of {length} whole numbers", rows)
        return result

    def nested(self, name: str) -> JsonFields:
        """A nested object."""
        return JsonFields(self._take(name, "an object", None), f"{self.where}.{name}")

    def nested_or_empty(self, name: str) -> JsonFields:
        """A nested object; without fields when it is left out."""
        return self.nested(name) if self.has(name) else JsonFields({}, f"{self.where}.{name}")

    def objects(self) -> tuple[str, ...]:
        """The names of the fields that are objects themselves, in order."""
        return tuple(name for name, value in self._values.items() if isinstance(value, Mapping))

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        return name in self._values

    def names(self) -> tuple[str, ...]:
        """All field names, in order."""
        return tuple(self._values)

    def as_mapping(self) -> dict[str, object]:
        """Everything, unread: for parts that another reader checks."""
        self._read.update(self._values)
        return dict(self._values)

    def finish(self) -> None:
        """Raises ConfigError when the object holds fields that nobody asked for."""
        unknown = sorted(set(self._values) - self._read)
        if unknown:
            raise ConfigError(f"{self.where}: unknown fields {', '.join(unknown)}")


def _integers(value: object, where: str, low: int, high: int) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{where} must be a list of whole numbers, found {value!r}")
    numbers: list[int] = []
    for item in value:
        if not isinstance(item, int) or isinstance(item, bool) or not low <= item <= high:
            raise ConfigError(f"{where} must hold whole numbers in {low} … {high}, found {item!r}")
        numbers.append(item)
    return tuple(numbers)

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.errors import ConfigError
from models.json_fields import JsonFields

READS: dict[str, Callable[[JsonFields], object]] = {
    "text": lambda fields: fields.text("f"),
    "choice": lambda fields: fields.choice("f", ("a", "b")),
    "boolean": lambda fields: fields.boolean("f"),
    "integer": lambda fields: fields.integer("f", low=0, high=9),
    "number": lambda fields: fields.number("f", low=0, high=9),
    "integers": lambda fields: fields.integers("f", low=0, high=9),
    "rows": lambda fields: fields.integer_rows("f", 2, low=0, high=9),
    "nested": lambda fields: fields.nested("f").names(),
}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", "x", "x"),
        ("choice", "a", "a"),
        ("boolean", False, False),
        ("integer", 9, 9),
        ("number", 1, 1.0),
        ("integers", [1, 2], (1, 2)),
        ("rows", [[1, 2], [3, 4]], ((1, 2), (3, 4))),
        ("nested", {"g": 1}, ("g",)),
    ],
)
def test_a_field_of_the_right_kind_is_read(kind: str, value: object, expected: object) -> None:
    assert READS[kind](JsonFields({"f": value}, "thing")) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 1),
        ("choice", "c"),
        ("boolean", 1),
        ("integer", True),
        ("integer", 10),
        ("integer", 1.0),
        ("number", "1"),
        ("number", float("nan")),
        ("integers", 3),
        ("integers", [1, True]),
        ("rows", [[1, 2, 3]]),
        ("rows", [1]),
        ("nested", []),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused_by_name(kind: str, value: object) -> None:
    with pytest.raises(ConfigError, match=r"thing.*f"):
        READS[kind](JsonFields({"f": value}, "thing"))


@pytest.mark.parametrize("kind", READS)
def test_a_missing_field_is_named(kind: str) -> None:
    with pytest.raises(ConfigError, match="'f' is missing"):
        READS[kind](JsonFields({}, "thing"))


def test_a_field_that_nobody_read_is_refused() -> None:
    fields = JsonFields({"f": 1, "g": 2}, "thing")
    fields.integer("f", low=0, high=9)
    with pytest.raises(ConfigError, match="unknown fields g"):
        fields.finish()

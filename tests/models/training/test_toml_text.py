from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ConfigError
from models.training.toml_text import flattened, read_toml, to_toml, with_overrides

scalars = (
    st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
values = scalars | st.lists(scalars, max_size=3) | st.lists(st.lists(st.integers(0, 9), max_size=3), max_size=3)
tables = st.recursive(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6), values, max_size=4),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b-c", "é", "d e"]), inner | values, max_size=3),
    max_leaves=5,
)


@given(tables)
def test_what_is_written_reads_back_the_same(table: dict[str, object]) -> None:
    assert tomllib.loads(to_toml(table)) == table


def test_an_override_reaches_into_tables_and_has_the_type_that_it_shows() -> None:
    table: dict[str, object] = {"data": {"side": 64, "pairs": "x"}}
    found = with_overrides(
        table, ["data.side=32", "training.device=cpu", "a.b=[1, 2]", "ldm.squared=true", "data.pairs=/some/where"]
    )
    assert found == {
        "data": {"side": 32, "pairs": "/some/where"},
        "training": {"device": "cpu"},
        "a": {"b": [1, 2]},
        "ldm": {"squared": True},
    }
    assert table == {"data": {"side": 64, "pairs": "x"}}


@pytest.mark.parametrize("override", ["side", "=3", "data..side=3", "data.side.more=3"])
def test_an_override_that_cannot_be_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        with_overrides({"data": {"side": 64}}, [override])


def test_names_of_tables_are_put_before_those_in_them() -> None:
    assert flattened({"a": 1, "b": {"c": [2], "d": {"e": "f"}}}) == {"a": 1, "b.c": [2], "b.d.e": "f"}


@pytest.mark.parametrize("content", [b"[data\n", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"c\.toml"):
        read_toml(tmp_path / "c.toml")

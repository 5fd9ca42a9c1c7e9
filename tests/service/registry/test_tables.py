from __future__ import annotations

import re
from datetime import datetime

import pytest
from sqlalchemy.dialects import sqlite

from service.registry.column_types import UtcDateTime
from service.registry.tables import Table

# Keywords of PS3.6 that identify a patient or date a study, in the snake case that a column would have.
PATIENT_DATA = re.compile(r"patient|birth|accession|physician|study_date|series_date|content_date|address|institution")


def test_no_column_holds_patient_data() -> None:
    columns = [f"{table.name}.{column.name}" for table in Table.metadata.tables.values() for column in table.columns]
    assert len(columns) > 60
    assert [name for name in columns if PATIENT_DATA.search(name)] == []


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 31), sqlite.dialect())


def test_every_constraint_has_a_name_so_that_it_can_be_altered() -> None:
    nameless = [
        (table.name, type(constraint).__name__)
        for table in Table.metadata.tables.values()
        for constraint in table.constraints
        if constraint.name is None
    ]
    assert nameless == []

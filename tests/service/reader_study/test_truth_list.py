from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import PermanentError
from service.reader_study.findings import Region, TrueFinding
from service.reader_study.truth_list import read_truth_list

HEADING = "sop_instance_uid,column,row,width,height,type\n"


def test_csv_and_json_say_the_same() -> None:
    text = HEADING + "1.2.3,100.5,200,,,nodule\n1.2.3,10,20,30,40,pneumothorax\n1.2.4,,,,,\n"
    listed = [
        {"sop_instance_uid": "1.2.3", "column": 100.5, "row": 200, "type": "nodule"},
        {"sop_instance_uid": "1.2.3", "column": 10, "row": 20, "width": 30, "height": 40, "type": "pneumothorax"},
        {"sop_instance_uid": "1.2.4", "column": None},
    ]
    expected = {
        "1.2.3": (
            TrueFinding(Region(100.5, 200), "nodule"),
            TrueFinding(Region(10, 20, 30, 40), "pneumothorax"),
        ),
        "1.2.4": (),
    }
    assert read_truth_list(text) == read_truth_list(json.dumps(listed)) == expected


def test_what_a_spreadsheet_writes_is_read() -> None:
    text = "\ufeffsop_instance_uid,type,row,column\r\n1.2.3,nodule,2,1\r\n"
    assert read_truth_list(text) == {"1.2.3": (TrueFinding(Region(1, 2), "nodule"),)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "fields out of"),
        (HEADING, "at least one line"),
        ("a,b\n1,2\n", "fields out of"),
        (HEADING + "SMITH^JOHN,1,2,,,nodule\n", "line 1: expected a SOP Instance UID"),
        (HEADING + "1.2.3,1,,,,nodule\n", "line 1: expected row as a number"),
        (HEADING + "1.2.3,1,nan,,,nodule\n", "line 1: expected row as a number"),
        (HEADING + "1.2.3,-1,1,,,nodule\n", "line 1: expected column as a number"),
        (HEADING + "1.2.3,1,1,,,\n", "line 1: expected a type"),
        (HEADING + "1.2.3,1,1,,,nodule\n1.2.3,,,,,\n", "line 2: this radiograph is said"),
        (HEADING + "1.2.3,,,,,\n1.2.3,1,1,,,nodule\n", "line 2: this radiograph is said"),
        (HEADING + "1.2.3,1,1,,,nodule,more\n", "as many fields"),
        ('{"sop_instance_uid": "1.2.3"}', "a list of objects"),
        ("[{", "expected JSON"),
        ('[{"sop_instance_uid": ["1.2.3"]}]', "numbers and text"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(PermanentError, match=message) as refused:
        read_truth_list(text)
    assert refused.value.code == "TRUTH_LIST_INVALID"
    assert "SMITH" not in str(refused.value)


@given(st.text(max_size=200))
def test_any_text_is_a_list_or_refused(text: str) -> None:
    with suppress(PermanentError):
        assert read_truth_list(text)

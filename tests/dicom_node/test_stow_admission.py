"""Whether a request can be taken is decided by its header alone, whatever stands in it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from fastapi import Request
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_node.errors import MultipartError
from dicom_node.loopback import is_loopback
from dicom_node.stow_admission import parser_of
from service.api.problems import ProblemError
from tests.dicom_node.running_stow import TERMS


def request(**headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/studies", "query_string": b"", "headers": pairs})


# What an HTTP header may hold, and pieces of what one does hold.
PIECES = st.lists(
    st.one_of(
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=6),
        st.sampled_from(
            [
                "multipart/related",
                ";",
                "type=",
                '"application/dicom"',
                "boundary",
                "=",
                '"',
                "*",
                "*0*",
                "utf-8''%zz",
                "\t",
            ]
        ),
    ),
    max_size=12,
).map("".join)


@settings(max_examples=400, deadline=None)
@given(content_type=PIECES, accept=PIECES, length=PIECES, encoding=PIECES)
def test_no_header_raises_anything_but_a_refusal(content_type: str, accept: str, length: str, encoding: str) -> None:
    with suppress(ProblemError, MultipartError):
        parser_of(request(content_type=content_type), None, TERMS)
    with suppress(ProblemError, MultipartError):
        usual = 'multipart/related; type="application/dicom"; boundary=b'
        parser_of(
            request(content_type=usual, accept=accept, content_length=length, content_encoding=encoding), None, TERMS
        )


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/related; type="application/dicom"; boundary="b"',
        "Multipart/Related; BOUNDARY=b; Type=application/dicom",
        'multipart/related;type="application/dicom";boundary="-- = b";start="<1>"',
        "multipart/related; boundary=b",
    ],
)
def test_the_usual_ways_to_write_the_content_type_are_read(content_type: str) -> None:
    parser_of(request(content_type=content_type), "1.2.840", TERMS)


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("", False),
     ("localhost.example", False), ("::", False), ("10.0.0.1", False)],
)  # fmt: skip
def test_a_loopback_address_is_this_machine_and_no_other_is(host: str, local: bool) -> None:
    assert is_loopback(host) is local

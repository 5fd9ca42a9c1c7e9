"""Taking multipart/related bodies apart: any content, any pieces, and bodies that are none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dicom_node.errors import MultipartError
from dicom_node.multipart_related import (
    MAX_HEADER_BYTES,
    MAX_PREAMBLE_BYTES,
    PartContent,
    PartEvent,
    PartLimits,
    PartParser,
)
from tests.dicom_node.whole_parts import Part, whole_parts

BOUNDARY = "b0undary"
AMPLE = PartLimits(max_parts=100, max_part_bytes=1 << 20, max_total_bytes=1 << 22)


def body_of(
    *contents: bytes, media_type: str = "application/dicom", preamble: bytes = b"", end: bytes = b"--"
) -> bytes:
    parts = b"".join(
        f"\r\n--{BOUNDARY}\r\nContent-Type: {media_type}\r\n\r\n".encode() + content for content in contents
    )
    return preamble + parts + f"\r\n--{BOUNDARY}".encode() + end


def parsed(body: bytes, *, pieces: int | list[int] = 1 << 16, limits: PartLimits = AMPLE) -> list[Part]:
    parser = PartParser(BOUNDARY, limits)
    found: list[PartEvent] = []
    for piece in cut(body, pieces):
        found += parser.feed(piece)
    parser.finish()
    return whole_parts(found)


def cut(body: bytes, pieces: int | list[int]) -> list[bytes]:
    places = range(0, len(body), pieces) if isinstance(pieces, int) else sorted({0, *(p % len(body) for p in pieces)})
    starts = [*places, len(body)]
    return [body[a:b] for a, b in pairwise(starts)]


# Content made of what the parser looks for, so that almost-boundaries are common.
TRICKY = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [b"\r", b"\n", b"\r\n", b"--", f"--{BOUNDARY}".encode(), f"\r\n--{BOUNDARY}x".encode(), b"\r\n--b0un", b" "]
        ),
    ),
    max_size=12,
).map(b"".join)


def holds_a_boundary(content: bytes) -> bool:
    """Content that no sender may put under this boundary."""
    framed = content + b"\r\n--" + BOUNDARY.encode() + b"\r\n"
    first = min(
        framed.find(b"\r\n--" + BOUNDARY.encode() + after) % (len(framed) + 1)
        for after in (b"--", b"\r\n", b" ", b"\t")
    )
    return first < len(content)


@settings(max_examples=300, deadline=None)
@given(
    contents=st.lists(TRICKY.filter(lambda c: not holds_a_boundary(c)), min_size=1, max_size=5),
    pieces=st.one_of(st.integers(1, 200), st.lists(st.integers(0, 5000), max_size=30)),
    preamble=st.sampled_from([b"", b"This is a message in many parts."]),
)
@example(contents=[b"\r\n--b0undar", b""], pieces=1, preamble=b"")
def test_every_content_comes_out_as_it_went_in(contents: list[bytes], pieces: int | list[int], preamble: bytes) -> None:
    found = parsed(body_of(*contents, preamble=preamble), pieces=pieces)
    assert [part.content for part in found] == contents
    assert {part.media_type for part in found} == {"application/dicom"}


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=60), other=st.binary(max_size=60), length=st.floats(0, 1), pieces=st.integers(1, 90))
def test_a_body_cut_off_anywhere_gives_whole_parts_and_an_error(
    content: bytes, other: bytes, length: float, pieces: int
) -> None:
    body = body_of(content, other)
    parser = PartParser(BOUNDARY, AMPLE)
    found: list[PartEvent] = []
    for piece in cut(body[: int(length * (len(body) - 1))] or b"\r", pieces):
        found += parser.feed(piece)
    contents = [part.content for part in whole_parts(found)]
    assert contents == [content, other][: len(contents)]
    if length < 1 - 3 / len(body):
        with pytest.raises(MultipartError, match="closing boundary"):
            parser.finish()


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=400), pieces=st.integers(1, 50))
def test_bytes_that_are_no_multipart_body_are_said_to_be_none(body: bytes, pieces: int) -> None:
    with pytest.raises(MultipartError):
        parsed(body or b"x", pieces=pieces)


def test_nothing_is_kept_of_a_part_but_what_may_be_the_start_of_a_boundary() -> None:
    parser = PartParser(BOUNDARY, PartLimits(5, 10, 1 << 30))
    parser.feed(body_of(b"", end=b"")[: -len(BOUNDARY) - 4])
    for _ in range(50):
        piece = b"x" * 65536
        came = sum(len(event.content) for event in parser.feed(piece) if isinstance(event, PartContent))
        assert came >= len(piece) - len(BOUNDARY) - 4
    assert len(parser._waiting) < len(BOUNDARY) + 4


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (body_of(b"x") + b"x" * 2000, "BODY_TOO_LARGE"),
        (body_of(*[b""] * 6), "TOO_MANY_PARTS"),
        (b"--other\r\n\r\nx\r\n--other--", "BODY_TRUNCATED"),
        (b"", "BODY_TRUNCATED"),
        (f"--{BOUNDARY}\r\nno colon here\r\n\r\nx\r\n--{BOUNDARY}--".encode(), "PART_HEADERS_INVALID"),
        (f"--{BOUNDARY}\r\nContent-Transfer-Encoding: base64\r\n\r\nx".encode(), "PART_ENCODED"),
        (f"--{BOUNDARY}\r\nContent-Encoding: gzip\r\n\r\nx".encode(), "PART_ENCODED"),
    ],
)
def test_what_is_wrong_with_a_body_has_a_code(body: bytes, code: str) -> None:
    with pytest.raises(MultipartError) as caught:
        parsed(body, limits=PartLimits(5, 100, 1000))
    assert caught.value.code == code


def test_parts_before_a_fault_are_given_before_it_is_raised_and_raised_again() -> None:
    parser = PartParser(BOUNDARY, PartLimits(2, 100, 1000))
    assert [part.content for part in whole_parts(parser.feed(body_of(b"1", b"2", b"3")))] == [b"1", b"2"]
    for _ in range(2):
        with pytest.raises(MultipartError, match="at most 2 parts"):
            parser.feed(b"")
    with pytest.raises(MultipartError, match="at most 2 parts"):
        parser.finish()


def test_endless_headers_and_endless_text_before_the_first_part_are_not_kept() -> None:
    for start in (f"--{BOUNDARY}\r\nX: ".encode(), b""):
        parser = PartParser(BOUNDARY, AMPLE)
        parser.feed(start)
        for _ in range(MAX_PREAMBLE_BYTES // MAX_HEADER_BYTES - 1 if not start else 0):
            parser.feed(b"y" * MAX_HEADER_BYTES)
        with pytest.raises(MultipartError):
            parser.feed(b"y" * 2 * MAX_HEADER_BYTES)


def test_a_part_without_headers_and_a_part_with_many_are_parts() -> None:
    body = (
        f"--{BOUNDARY} \t\r\n\r\nplain\r\n--{BOUNDARY}\r\nContent-ID: <1>\r\nCONTENT-TYPE:\r\n"
        f"Content-Type: Application/DICOM; transfer-syntax=1.2\r\n folded\r\n\r\nother\r\n--{BOUNDARY}--\r\nepilogue"
    ).encode()
    found = parsed(body)
    assert [(p.media_type, p.content) for p in found] == [("", b"plain"), ("application/dicom", b"other")]


@pytest.mark.parametrize("boundary", ["", "x" * 200, "a\r\nb", "grün"])
def test_a_boundary_that_cannot_be_one_is_refused(boundary: str) -> None:
    with pytest.raises(MultipartError, match="boundary"):
        PartParser(boundary, AMPLE)

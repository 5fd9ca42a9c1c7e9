"""What hostile or broken peers send: strategies for hypothesis, from noise to valid PDUs in the wrong place."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from tests.dicom_node.raw_peer import (
    P_DATA_TF,
    STORAGE_ID,
    VERIFICATION_ID,
    associate_rq,
    c_echo_rq,
    c_store_rq,
    command_set,
    element,
    item,
    p_data,
    pdu,
    pdv,
)

WHOLE = [
    associate_rq(),
    *(pdu(kind, b"\0" * 4) for kind in (3, 5, 6, 7)),
    pdu(2, b"\0" * 68),
    p_data(pdv(VERIFICATION_ID, 3, c_echo_rq())),
    p_data(pdv(STORAGE_ID, 3, c_store_rq())),
    p_data(pdv(STORAGE_ID, 3, c_store_rq()), pdv(STORAGE_ID, 2, b"\x08\x00\x16\x00UI\x02\x001\0")),
    p_data(pdv(STORAGE_ID, 0, b"\0" * 500)),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid PDU with some bytes changed, cut out or put in."""
    content = bytearray(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        match draw(st.sampled_from(["change", "cut", "put"])):
            case "change" if content:
                content[at] = draw(st.integers(0, 255))
            case "cut":
                del content[at : at + draw(st.integers(1, 40))]
            case _:
                content[at:at] = draw(st.binary(min_size=1, max_size=20))
    return bytes(content)


@st.composite
def truncated(draw: st.DrawFn) -> bytes:
    """The beginning of a valid PDU."""
    content = draw(st.sampled_from(WHOLE))
    return content[: draw(st.integers(0, len(content) - 1))]


@st.composite
def wrong_length(draw: st.DrawFn) -> bytes:
    """A header that announces another length than follows, up to 4 GiB."""
    length = draw(
        st.one_of(st.integers(0, 300), st.sampled_from([1 << 16, 1 << 20, 1 << 24, (1 << 31) + 1, 0xFFFFFFFF]))
    )
    return struct.pack(">BBL", draw(st.integers(0, 8)), 0, length) + draw(st.binary(max_size=200))


@st.composite
def odd_request(draw: st.DrawFn) -> bytes:
    """An A-ASSOCIATE-RQ of well-formed items with any types, contents and order."""
    items = b"".join(
        item(kind, content)
        for kind, content in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(
                        [0x10, 0x20, 0x21, 0x30, 0x40, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x58, 0xAA]
                    ),
                    st.one_of(
                        st.binary(max_size=60),
                        st.just(b"1.2.840.10008.1.1"),
                        st.binary(max_size=10).map(lambda b: item(0x51, b)),
                    ),
                ),
                max_size=12,
            )
        )
    )
    head = struct.pack(">HH", draw(st.sampled_from([0, 1, 1, 1, 3, 0xFFFF])), 0)
    titles = (
        draw(st.binary(min_size=32, max_size=32))
        if draw(st.booleans())
        else b"SOFTRAY".ljust(16) + b"MODALITY".ljust(16)
    )
    return pdu(1, head + titles + b"\0" * 32 + items)


@st.composite
def odd_command(draw: st.DrawFn) -> bytes:
    """A P-DATA-TF with a command set of any elements, and sometimes a data set behind it."""
    elements = draw(
        st.lists(
            st.tuples(
                st.sampled_from(
                    [
                        0x0002,
                        0x0003,
                        0x0100,
                        0x0110,
                        0x0120,
                        0x0600,
                        0x0700,
                        0x0800,
                        0x0900,
                        0x1000,
                        0x1001,
                        0x1002,
                        0x1008,
                        0xFFFF,
                    ]
                ),
                st.one_of(
                    st.binary(max_size=80),
                    st.sampled_from(
                        [
                            b"\x01\x00",
                            b"\x30\x00",
                            b"\x20\x80",
                            b"\x00\x01",
                            b"\x30\x01",
                            b"\x01\x01",
                            b"\xff\x0f",
                            b"1.2.840.10008.1.1",
                        ]
                    ),
                ),
            ),
            max_size=10,
        )
    )
    context_id = draw(st.sampled_from([VERIFICATION_ID, STORAGE_ID, 5, 0, 255]))
    values = [
        pdv(context_id, draw(st.sampled_from([1, 3, 3, 3, 7, 0xFF])), command_set(*(element(*e) for e in elements)))
    ]
    if draw(st.booleans()):
        values.append(pdv(context_id, draw(st.sampled_from([0, 2, 2])), draw(st.binary(max_size=300))))
    return p_data(*values)


ONE = st.one_of(
    st.binary(max_size=200),
    st.binary(max_size=100).map(lambda body: pdu(P_DATA_TF, body)),
    mutated(),
    truncated(),
    wrong_length(),
    odd_request(),
    odd_command(),
    st.sampled_from(WHOLE),
)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[bool, bytes]:
    """Whether an association is opened first, and all that is sent then."""
    return draw(st.booleans()), b"".join(draw(st.lists(ONE, min_size=1, max_size=4)))

"""Reading a peer's Store Instances Response (PS3.18 §10.5.3, Annex I): what it says about each instance.

In the DICOM JSON Model (PS3.18 Annex F), which we ask for, or the Native DICOM Model in XML (PS3.19 Annex A), which
older servers answer whatever is asked. A body that is neither says nothing, and raises nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from dicom_node.status import PROCESSING_FAILURE, SUCCESS
from dicom_node.store_instances_response import (
    FAILED_SOP_SEQUENCE,
    FAILURE_REASON,
    OTHER_FAILURES_SEQUENCE,
    REFERENCED_SOP_SEQUENCE,
    SOP_INSTANCE_UID,
    WARNING_REASON,
)

# Values by tag, of one item of a sequence; a tag without a value is absent.
_Item = Mapping[str, str]
_Items = Mapping[str, list[_Item]]


@dataclass(frozen=True)
class StowAnswer:
    """Stored instances with their warning reason (0: none), failed ones with their failure reason, by UID.

    `other_failures` are reasons of what the peer could not even name.
    """

    stored: Mapping[str, int]
    failed: Mapping[str, int]
    other_failures: tuple[int, ...]


def read_answer(body: bytes) -> StowAnswer | None:
    """What the body says; None when it is no Store Instances Response."""
    try:
        items = _xml_items(body) if body.lstrip()[:1] == b"<" else _json_items(body)
    except Exception:
        # Foreign content raises whatever its shape runs into; none of it is worth repeating.
        return None
    if not items:
        return None
    return StowAnswer(
        {i[SOP_INSTANCE_UID]: _reason(i, WARNING_REASON, SUCCESS) for i in items.get(REFERENCED_SOP_SEQUENCE, [])},
        {i[SOP_INSTANCE_UID]: _reason(i, FAILURE_REASON) for i in items.get(FAILED_SOP_SEQUENCE, [])},
        tuple(_reason(i, FAILURE_REASON) for i in items.get(OTHER_FAILURES_SEQUENCE, [])),
    )


def _reason(item: _Item, tag: str, default: int = PROCESSING_FAILURE) -> int:
    value = item.get(tag, "")
    return int(value) if value.isdigit() else default


def _json_items(body: bytes) -> _Items:
    parsed = json.loads(body)
    root = parsed[0] if isinstance(parsed, list) else parsed
    return {
        tag: [
            {name.upper(): str(element["Value"][0]) for name, element in item.items() if element.get("Value")}
            for item in root[tag].get("Value", [])
        ]
        for tag in (REFERENCED_SOP_SEQUENCE, FAILED_SOP_SEQUENCE, OTHER_FAILURES_SEQUENCE)
        if tag in root
    }


def _xml_items(body: bytes) -> _Items:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:  # what a response never holds, and a bomb always does
        raise ValueError
    return {
        sequence.attrib.get("tag", "").upper(): [
            {
                attribute.attrib.get("tag", "").upper(): "".join(attribute.itertext()).strip()
                for attribute in _children(item, "DicomAttribute")
            }
            for item in _children(sequence, "Item")
        ]
        for sequence in _children(ElementTree.fromstring(body), "DicomAttribute")
        if any(_children(sequence, "Item"))
    }


def _children(parent: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    """With this local name, in whatever namespace."""
    return (child for child in parent if child.tag.rpartition("}")[2] == name)

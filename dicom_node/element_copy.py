"""Copying elements from one data set to another without touching their bytes.

Text is carried over undecoded, so that names in any character set, and bytes that are valid in none, come out exactly
as they came in (PS3.5 6.1). Numbers are decoded, because the source may be big endian. Private elements never go along,
and nesting deeper than any real object has is cut off.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

import numpy as np
from pydicom.charset import default_encoding
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

_TEXT_VRS = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)
_MAX_DEPTH = 12


def new_dataset_like(source: Dataset) -> Dataset:
    """An empty Explicit VR Little Endian data set in the character set of `source`, for copied raw elements."""
    target = Dataset()
    copy_elements(source, target, ("SpecificCharacterSet",))
    target.set_original_encoding(False, True, target._character_set)
    return target


def copy_elements(source: Dataset, target: Dataset, keywords: Iterable[str], *, big_endian: bool = False) -> None:
    """Copy what is there of `keywords`; an element that cannot be read is left behind."""
    for keyword in keywords:
        tag = Tag(keyword)
        if tag in source:
            _copy(source, target, tag, big_endian, depth=0)


def copied_item(source: Dataset, target: Dataset, *, big_endian: bool = False, depth: int = 0) -> Dataset:
    """A copy of a sequence item of `source` that may stand in `target`."""
    item = Dataset(parent_encoding=target._character_set or default_encoding)
    for tag in list(source.keys()):
        if not tag.is_private:
            _copy(source, item, tag, big_endian, depth)
    item.set_original_encoding(False, True, item._character_set)
    return item


def _copy(source: Dataset, target: Dataset, tag: BaseTag, big_endian: bool, depth: int) -> None:
    try:
        copied = _copied_element(source, target, tag, big_endian, depth)
    except Exception:  # unreadable in the source: nothing that could be carried on
        return
    if copied is not None:
        target[tag] = copied


def _copied_element(
    source: Dataset, target: Dataset, tag: BaseTag, big_endian: bool, depth: int
) -> DataElement | RawDataElement | None:
    raw: object = source.get_item(tag)  # pydicom's annotation leaves raw elements out
    if isinstance(raw, RawDataElement):
        vr = raw.VR if raw.VR and raw.VR != "UN" else dictionary_VR(tag)
        if vr in _TEXT_VRS:
            value = raw.value or b""
            return RawDataElement(tag, vr, len(value), value, 0, False, True)
    element = source[tag]
    if element.VR == "SQ":
        if depth >= _MAX_DEPTH:
            return None
        copies = [copied_item(item, target, big_endian=big_endian, depth=depth + 1) for item in element.value]
        return DataElement(tag, "SQ", Sequence(copies))
    copied = deepcopy(element)
    if big_endian and element.VR == "OW" and isinstance(element.value, bytes):
        copied.value = np.frombuffer(element.value, ">u2").astype("<u2").tobytes()
    return copied

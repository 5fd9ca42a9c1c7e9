"""Copying elements from one data set to another without touching their bytes.

Text is carried over undecoded, so that names in any character set, and bytes that are valid in none, come out exactly
as they came in (PS3.5 6.1). Numbers are decoded, because the source may be big endian. Private elements never go along,
and nesting deeper than any real object has is cut off.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from copy import deepcopy

import numpy as np
from pydicom.charset import default_encoding
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

FREE_TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})  # those that follow Specific Character Set
_PLAIN_TEXT_VRS = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"})
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
    allowed = dictionary_VR(tag).split(" or ")
    if isinstance(raw, RawDataElement) and allowed[0] in FREE_TEXT_VRS | _PLAIN_TEXT_VRS:
        value = raw.value or b""
        if allowed[0] in _PLAIN_TEXT_VRS and not _is_plain(value, allowed[0]):
            return None  # neither we nor any receiver could encode it again
        return RawDataElement(tag, allowed[0], len(value), value, 0, False, True)
    element = source[tag]
    if element.VR not in (*allowed, dictionary_VR(tag)):
        return None  # a value of another kind than the attribute's
    if element.VR == "SQ":
        if depth >= _MAX_DEPTH:
            return None
        copies = [copied_item(item, target, big_endian=big_endian, depth=depth + 1) for item in element.value]
        return DataElement(tag, "SQ", Sequence(copies))
    copied = deepcopy(element)
    if big_endian and element.VR == "OW" and isinstance(element.value, bytes):
        copied.value = np.frombuffer(element.value, ">u2").astype("<u2").tobytes()
    return copied


def _is_plain(value: bytes, vr: str) -> bool:
    """Whether a value of a VR without a character set is ASCII, and a number where it has to be one."""
    if not value.isascii():
        return False
    if vr not in ("DS", "IS"):
        return True
    numbers = [one.strip(b" \0") for one in value.split(b"\\")]
    read = float if vr == "DS" else int
    try:
        return all(math.isfinite(read(one)) for one in numbers if one)
    except ValueError:
        return False

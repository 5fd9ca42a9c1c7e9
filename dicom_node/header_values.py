"""Reading one value from a header that may hold anything: garbage, wrong VRs, broken character sets, no value at all.

For the gate and the pixel guards, which judge untrusted objects: nothing here raises, an unusable value is absent.
"""

from __future__ import annotations

import math

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence


def present(ds: Dataset, keyword: str) -> bool:
    """Whether the element is there, whatever it holds."""
    return keyword in ds


def texts(ds: Dataset, keyword: str) -> tuple[str, ...]:
    """All values as stripped text; empty when absent, empty or unreadable."""
    value = _value(ds, keyword)
    values = list(value) if isinstance(value, MultiValue | list | tuple) else [value]
    if len(values) == 1 and (values[0] is None or values[0] == ""):
        return ()
    try:
        return tuple("" if one is None else str(one).strip(" \0\r\n\t") for one in values)
    except Exception:  # str() of a person name decodes lazily
        return ()


def text(ds: Dataset, keyword: str) -> str:
    """The first value as stripped text, "" when absent or unreadable."""
    return next(iter(texts(ds, keyword)), "")


def numbers(ds: Dataset, keyword: str) -> tuple[float, ...]:
    """All values as finite floats; empty when absent or when any of them is not a finite number."""
    found = []
    for one in texts(ds, keyword):
        try:
            number = float(one)
        except ValueError:
            return ()
        if not math.isfinite(number):
            return ()
        found.append(number)
    return tuple(found)


def number(ds: Dataset, keyword: str) -> float | None:
    """The first value as a finite float, or None."""
    return next(iter(numbers(ds, keyword)), None)


def integer(ds: Dataset, keyword: str) -> int | None:
    """The first value as an int, or None when it is absent or not a whole number."""
    found = number(ds, keyword)
    return int(found) if found is not None and found == int(found) else None


def items(ds: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence; empty when it is absent, empty or not a sequence."""
    value = _value(ds, keyword)
    if not isinstance(value, Sequence):
        return ()
    try:
        return tuple(value)
    except Exception:
        return ()


def _value(ds: Dataset, keyword: str) -> object:
    try:
        return ds[keyword].value if keyword in ds else None
    except Exception:  # pydicom raises nearly anything while it decodes a malformed element
        return None

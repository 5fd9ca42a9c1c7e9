"""Whether a value obeys its Value Representation (PS3.5 6.2): form, length and range of what is not free text."""

from __future__ import annotations

import math
import re
from datetime import date

from pydicom.datadict import dictionary_VM, dictionary_VR
from pydicom.uid import UID

_FORMS = {
    "AS": r"\d{3}[DWMY]",
    "CS": r"[A-Z0-9_ ]{1,16}",
    "DA": r"\d{8}",
    "DS": r"[+\-0-9.eE]{1,16}",
    "DT": r"\d{4}(\d\d){0,5}(\.\d{1,6})?([+-]\d{4})?",
    "IS": r"[+\-]?\d{1,11}",
    "TM": r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?",
}
_UID_ROOT = r"0\.\d\.|1\.[0-3]\.|2\.\d"  # the arcs that ITU-T and ISO have given out
CHECKED = frozenset({*_FORMS, "UI"})


def obeys_its_vr(keyword: str, values: tuple[str, ...]) -> bool:
    """Whether `values`, none of them free text, may stand in the attribute, in form and in number."""
    vr = dictionary_VR(keyword)
    return _number_fits(dictionary_VM(keyword), len(values)) and all(_is_formed(one, vr) for one in values)


def _is_formed(value: str, vr: str) -> bool:
    if vr == "UI":
        return UID(value).is_valid and re.match(_UID_ROOT, value) is not None
    if vr not in _FORMS:
        return True
    if value and not re.fullmatch(_FORMS[vr], value):
        return False
    if vr == "DA" or (vr == "DT" and len(value) >= 8):
        return not value or _is_date(value[:8])
    if vr == "DS":
        return not value or _is_finite(value)
    return vr != "IS" or not value or abs(int(value)) < 2**31


def _is_date(value: str) -> bool:
    try:
        return bool(date(int(value[:4]), int(value[4:6]), int(value[6:8])))
    except ValueError:
        return False


def _is_finite(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _number_fits(vm: str, count: int) -> bool:
    """Whether `count` values are allowed by a Value Multiplicity such as 1, 1-3, 2-n, 2-2n."""
    least, _, most = vm.partition("-")
    if not most:
        return count == int(least)
    if most.endswith("n"):
        step = int(most[:-1] or 1)
        return count >= int(least) and count % step == 0
    return int(least) <= count <= int(most)

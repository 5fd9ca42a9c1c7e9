"""SR content items (PS3.3 C.17.3): the value types that our reports use, with the relationship to the parent."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from dicom_node.codes import Code
from dicom_node.provenance import ascii_only

MAX_CODE_VALUE = 16  # characters of an SH; what is longer goes into Long Code Value (PS3.3 8.1)
MAX_TEXT = 4096


class Relationship(StrEnum):
    """Relationship Type (0040,A010) of an item to its parent."""

    CONTAINS = "CONTAINS"
    HAS_ACQ_CONTEXT = "HAS ACQ CONTEXT"
    HAS_CONCEPT_MOD = "HAS CONCEPT MOD"
    HAS_OBS_CONTEXT = "HAS OBS CONTEXT"
    INFERRED_FROM = "INFERRED FROM"


def container(
    name: Code,
    children: Iterable[Dataset],
    relationship: Relationship | None = Relationship.CONTAINS,
    template: str = "",
) -> Dataset:
    """A CONTAINER; the root of a document has no relationship. `template` is a DCMR template identifier."""
    item = _item("CONTAINER", name, relationship)
    item.ContinuityOfContent = "SEPARATE"
    if template:
        identification = Dataset()
        identification.MappingResource = "DCMR"
        identification.TemplateIdentifier = template
        item.ContentTemplateSequence = Sequence([identification])
    item.ContentSequence = Sequence(children)
    return item


def code_item(name: Code, value: Code, relationship: Relationship = Relationship.CONTAINS) -> Dataset:
    """A CODE."""
    item = _item("CODE", name, relationship)
    item.ConceptCodeSequence = Sequence([coded(value)])
    return item


def text_item(name: Code, value: str, relationship: Relationship = Relationship.CONTAINS) -> Dataset:
    """A TEXT, in printable ASCII, which every character set of a source has."""
    item = _item("TEXT", name, relationship)
    printable = "".join(one if one.isprintable() else " " for one in value)
    item.TextValue = ascii_only(printable, MAX_TEXT).strip() or "-"  # type 1
    return item


def uid_item(name: Code, value: UID, relationship: Relationship = Relationship.HAS_OBS_CONTEXT) -> Dataset:
    """A UIDREF."""
    item = _item("UIDREF", name, relationship)
    item.UID = value
    return item


def number_item(
    name: Code,
    value: float,
    unit: Code,
    relationship: Relationship = Relationship.CONTAINS,
    children: Iterable[Dataset] = (),
) -> Dataset:
    """A NUM; four significant digits, as nobody reads more."""
    item = _item("NUM", name, relationship)
    measured = Dataset()
    measured.NumericValue = f"{value:.4g}"
    measured.MeasurementUnitsCodeSequence = Sequence([coded(unit)])
    item.MeasuredValueSequence = Sequence([measured])
    nested = list(children)
    if nested:
        item.ContentSequence = Sequence(nested)
    return item


def reference_item(
    reference: Dataset,
    name: Code | None = None,
    relationship: Relationship = Relationship.CONTAINS,
    *,
    is_image: bool = True,
    children: Iterable[Dataset] = (),
) -> Dataset:
    """An IMAGE, or a COMPOSITE for what shows no picture, that points to the instance of a Referenced SOP item."""
    item = _item("IMAGE" if is_image else "COMPOSITE", name, relationship)
    item.ReferencedSOPSequence = Sequence([reference])
    nested = list(children)
    if nested:
        item.ContentSequence = Sequence(nested)
    return item


def coded(code: Code) -> Dataset:
    """A Code Sequence item, with Long Code Value where the value needs it."""
    if len(code.value) <= MAX_CODE_VALUE:
        return code.item()
    item = Dataset()
    item.CodingSchemeDesignator = code.scheme
    item.CodeMeaning = code.meaning
    item.LongCodeValue = code.value
    return item


def _item(value_type: str, name: Code | None, relationship: Relationship | None) -> Dataset:
    item = Dataset()
    if relationship is not None:
        item.RelationshipType = relationship.value
    item.ValueType = value_type
    if name is not None:
        item.ConceptNameCodeSequence = Sequence([coded(name)])
    return item

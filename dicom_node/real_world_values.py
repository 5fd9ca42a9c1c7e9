"""Real World Value Mapping Sequence (0040,9096) (PS3.3 C.7.6.16.2.11): what a stored value of a derived map means."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_node.codes import NO_UNITS, QUANTITY, Code
from dicom_node.header_values import items, number
from dicom_node.image_pixel import ImagePixel


@dataclass(frozen=True)
class RealWorldValue:
    """Real world value = stored · `slope` + `intercept`, without units; `label` is an SH."""

    slope: float
    intercept: float
    label: str
    explanation: str
    quantity: Code | None = None


def add_real_world_value(derived: Dataset, layout: ImagePixel, value: RealWorldValue) -> None:
    """Map every stored value that `layout` can hold."""
    item = Dataset()
    vr = "SS" if layout.signed else "US"
    item.add_new("RealWorldValueFirstValueMapped", vr, layout.lowest)
    item.add_new("RealWorldValueLastValueMapped", vr, layout.highest)
    item.RealWorldValueSlope, item.RealWorldValueIntercept = value.slope, value.intercept
    item.LUTLabel, item.LUTExplanation = value.label, value.explanation
    item.MeasurementUnitsCodeSequence = NO_UNITS.sequence()
    if value.quantity is not None:
        definition = Dataset()
        definition.ValueType = "CODE"
        definition.ConceptNameCodeSequence = QUANTITY.sequence()
        definition.ConceptCodeSequence = value.quantity.sequence()
        item.QuantityDefinitionSequence = Sequence([definition])
    derived.RealWorldValueMappingSequence = Sequence([item])


def real_world_intercept(ds: Dataset) -> float | None:
    """The intercept of the first mapping, or None when there is none."""
    mappings = items(ds, "RealWorldValueMappingSequence")
    return number(mappings[0], "RealWorldValueIntercept") if mappings else None

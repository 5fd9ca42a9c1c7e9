"""Coded concepts (PS3.16) that the gate reads and the derived object carries, as Code Sequence items."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence


@dataclass(frozen=True)
class Code:
    """Code Value, Coding Scheme Designator and Code Meaning of one concept."""

    value: str
    scheme: str
    meaning: str

    def item(self) -> Dataset:
        """A new Code Sequence item (PS3.3 8.8)."""
        item = Dataset()
        item.CodeValue = self.value
        item.CodingSchemeDesignator = self.scheme
        item.CodeMeaning = self.meaning
        return item

    def sequence(self) -> Sequence:
        """A new Code Sequence with this one item."""
        return Sequence([self.item()])


PRIVATE_SCHEME = "99SOFTRAY"

CHEST = Code("816094009", "SCT", "Chest")
VIEWS = {
    "PA": Code("272479007", "SCT", "postero-anterior"),
    "AP": Code("399348003", "SCT", "antero-posterior"),
}

# Purposes of reference (CID 7202), of contributing equipment (CID 7005), derivations (CID 7203, extended).
SOURCE_FOR_PROCESSING = Code("121322", "DCM", "Source image for image processing operation")
FOR_PROCESSING_PREDECESSOR = Code("121358", "DCM", "For Processing predecessor")
ACQUISITION_EQUIPMENT = Code("109101", "DCM", "Acquisition Equipment")
PROCESSING_EQUIPMENT = Code("109102", "DCM", "Processing Equipment")
ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")
BONE_SUPPRESSION = Code("BS001", PRIVATE_SCHEME, "Bone suppression")
BONE_RESIDUAL = Code("BS002", PRIVATE_SCHEME, "Bone residual")
SPREAD_OF_SAMPLES = Code("BS003", PRIVATE_SCHEME, "Standard deviation over samples")
SUBTRACTION = Code("113062", "DCM", "Pixel by pixel subtraction")

# Real World Value Mapping: units (UCUM) and quantities.
NO_UNITS = Code("1", "UCUM", "no units")
QUANTITY = Code("246205007", "SCT", "Quantity")
STANDARD_DEVIATION = Code("386136009", "SCT", "Standard Deviation")

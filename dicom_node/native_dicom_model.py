"""A data set of the DICOM JSON Model as XML of the Native DICOM Model (PS3.19 §A.1), for senders that want that."""

from __future__ import annotations

from xml.etree import ElementTree

from pydicom.datadict import keyword_for_tag

from dicom_node.store_instances_response import JsonDataSet

_NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"


def native_xml(data_set: JsonDataSet) -> bytes:
    """The document, in UTF-8."""
    root = ElementTree.Element("NativeDicomModel", {"xmlns": _NAMESPACE, "xml:space": "preserve"})
    _add_attributes(root, data_set)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_attributes(parent: ElementTree.Element, data_set: JsonDataSet) -> None:
    for tag, element in data_set.items():
        named = {"tag": tag, "vr": str(element["vr"]), "keyword": keyword_for_tag(tag)}
        attribute = ElementTree.SubElement(parent, "DicomAttribute", named)
        values = element.get("Value", [])
        for number, value in enumerate(values if isinstance(values, list) else [], start=1):
            if isinstance(value, dict):
                _add_attributes(ElementTree.SubElement(attribute, "Item", {"number": str(number)}), value)
            else:
                ElementTree.SubElement(attribute, "Value", {"number": str(number)}).text = str(value)

"""Coded concepts of our reports (PS3.16 Annex D and the templates' own), and the private ones where there is none.

A private code keeps its value and its meaning for ever: reports that use it lie in archives.
"""

from __future__ import annotations

from dicom_node.codes import PRIVATE_SCHEME, Code

# TID 1500, 1204, 1001, 1004
IMAGING_MEASUREMENT_REPORT = Code("126000", "DCM", "Imaging Measurement Report")
LANGUAGE = Code("121049", "DCM", "Language of Content Item and Descendants")
ENGLISH = Code("en-US", "RFC5646", "English (United States)")
OBSERVER_TYPE = Code("121005", "DCM", "Observer Type")
DEVICE = Code("121007", "DCM", "Device")
DEVICE_OBSERVER_UID = Code("121012", "DCM", "Device Observer UID")
DEVICE_OBSERVER_NAME = Code("121013", "DCM", "Device Observer Name")
DEVICE_OBSERVER_MANUFACTURER = Code("121014", "DCM", "Device Observer Manufacturer")
DEVICE_OBSERVER_MODEL_NAME = Code("121015", "DCM", "Device Observer Model Name")
DEVICE_OBSERVER_SERIAL_NUMBER = Code("121016", "DCM", "Device Observer Serial Number")
PROCEDURE_REPORTED = Code("121058", "DCM", "Procedure reported")
CHEST_RADIOGRAPHY = Code("399208008", "SCT", "Plain chest X-ray")
IMAGING_PROCEDURE = Code("363679005", "SCT", "Imaging procedure")
IMAGING_MEASUREMENTS = Code("126010", "DCM", "Imaging Measurements")
QUALITATIVE_EVALUATIONS = Code("C0034375", "UMLS", "Qualitative Evaluations")
COMMENT = Code("121106", "DCM", "Comment")

# TID 1600 to 1602
IMAGE_LIBRARY = Code("111028", "DCM", "Image Library")
IMAGE_LIBRARY_GROUP = Code("126200", "DCM", "Image Library Group")
MODALITY = Code("121139", "DCM", "Modality")
MODALITIES = {
    "CR": Code("CR", "DCM", "Computed Radiography"),
    "DX": Code("DX", "DCM", "Digital Radiography"),
    "OT": Code("OT", "DCM", "Other"),
}
PIXEL_ROWS = Code("110910", "DCM", "Pixel Data Rows")
PIXEL_COLUMNS = Code("110911", "DCM", "Pixel Data Columns")
PIXELS = Code("{pixels}", "UCUM", "Pixels")

# TID 1501, 300, 320, 4019
MEASUREMENT_GROUP = Code("125007", "DCM", "Measurement Group")
TRACKING_IDENTIFIER = Code("112039", "DCM", "Tracking Identifier")
TRACKING_UNIQUE_IDENTIFIER = Code("112040", "DCM", "Tracking Unique Identifier")
SOURCE_OF_MEASUREMENT = Code("121112", "DCM", "Source of Measurement")
ALGORITHM_NAME = Code("111001", "DCM", "Algorithm Name")
ALGORITHM_VERSION = Code("111003", "DCM", "Algorithm Version")
ALGORITHM_PARAMETERS = Code("111002", "DCM", "Algorithm Parameters")
PERCENT = Code("%", "UCUM", "Percent")
NO_UNITS = Code("1", "UCUM", "no units")

# The part an image plays
ROLE = Code("IR001", PRIVATE_SCHEME, "Role of the image")
ORIGINAL = Code("IR010", PRIVATE_SCHEME, "Original radiograph")
SOFT_TISSUE = Code("IR011", PRIVATE_SCHEME, "Soft tissue image, ribs and clavicles suppressed")
BONE = Code("IR012", PRIVATE_SCHEME, "Bone image, what was taken away")
SPREAD = Code("IR013", PRIVATE_SCHEME, "Map of the spread over seeds")
OTHER_DERIVED = Code("IR014", PRIVATE_SCHEME, "Other derived image")
WITHOUT_COMPANION = Code("IR015", PRIVATE_SCHEME, "Image without a companion")

# Quality figures; their formulas are in worker.quality
CHANGED_SHARE = Code("QF001", PRIVATE_SCHEME, "Share of the image that changed")
MEAN_CHANGE = Code("QF002", PRIVATE_SCHEME, "Mean change, of the display range")
LARGEST_CHANGE = Code("QF003", PRIVATE_SCHEME, "Largest change, of the display range")
LARGEST_CHANGE_OUTSIDE = Code("QF004", PRIVATE_SCHEME, "Largest change outside the patient, of the display range")
FINE_STRUCTURE = Code("QF005", PRIVATE_SCHEME, "Correlation of fine structure with the original")
MEAN_SPREAD = Code("QF006", PRIVATE_SCHEME, "Mean standard deviation over seeds, of the display range")

# Companion image or none
COMPANION = Code("CI001", PRIVATE_SCHEME, "Bone suppressed companion image")
MADE = Code("CI002", PRIVATE_SCHEME, "Made")
NOT_MADE = Code("CI003", PRIVATE_SCHEME, "Not made")
REASON = Code("CI004", PRIVATE_SCHEME, "Reason for no companion image")
NOT_MADE_REPORT = Code("CI005", PRIVATE_SCHEME, "Bone suppressed companion image not made")
QUALIFICATION = Code("CI006", PRIVATE_SCHEME, "Use of the companion image")
QUALIFICATIONS = {
    "RESEARCH": Code("CI007", PRIVATE_SCHEME, "Research only"),
    "SERVICE": Code("CI008", PRIVATE_SCHEME, "Equipment service only"),
    "PRODUCT": Code("CI009", PRIVATE_SCHEME, "Clinical, together with the original"),
}

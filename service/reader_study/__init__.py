"""Reader studies: criteria, reading order, agreement between readers, and detection against a truth list.

Pure: no clock, no database, no web. Rows are in `service.registry`, routes in `service.api`. For whoever evaluates a
model with radiologists: docs/reader-study.md.
"""

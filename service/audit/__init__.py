"""The audit trail: who did what to which study, account or setting, so that nobody can take it back unseen.

`events` says what is recorded, `chain` appends it (each event's hash covers the one before), `notes` gathers instances
received, sent and looked at into one event a study, `verify` finds the first event that was tampered with. `records`
reads, `json_lines` and `dicom_message` write the trail for others, and `syslog` and `spool` send it to an audit record
repository (PS3.15 A.5 and A.6). No patient's data is in it: a study is known by its UID.
"""

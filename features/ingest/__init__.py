"""Read record files as validated tables.

`record_files` reads Parquet, CSV and NDJSON, checks each column against its `contract` and refuses
fields that describe a person. `record_folder` serves the same files to the batch engine in blocks
of rows: `files_as_written` reads row groups, `validate_block` checks each distinct text once, and
`fast_checks` quickly accepts columns that are clearly valid. `quarantine` sets aside invalid rows
for correction instead of failing a build; `record_summary` summarises a folder of records.
"""

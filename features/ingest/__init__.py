"""Record files -> checked tables.

`record_files` reads Parquet, CSV and NDJSON, holds each column to its `contract` and refuses what
describes a person. `quarantine` sets aside the rows that break the contract, so that they can be
mended instead of stopping a build; `record_summary` tells what a folder of records holds.
`mapping` makes record files of an agency's own tables.
"""

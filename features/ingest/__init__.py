"""Record files -> checked tables.

`record_files` reads Parquet, CSV and NDJSON, checks each column against its `contract` and refuses
what describes a person. `record_folder` gives the batch engine the same files, a block of rows at a
time: `files_as_written` reads the row groups, `validate_block` looks at each text once, however
often it appears, and `fast_checks` passes columns that are plainly sound. `quarantine` sets aside
the rows that break the contract, so that they can be mended instead of stopping a build;
`record_summary` lists what a folder of records holds.
"""

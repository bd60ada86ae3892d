"""Import an agency's own tables as record files, by a mapping in TOML.

No record type is named here. `mapping` parses a mapping; `mapping_checks` checks it against the
record types and the `source_tables` that `inputs` opens. `import_tables` then reads each table
once, in blocks: `block_columns` splits and joins columns, `field_values` converts them (`units`,
`instants`), `checked_records` validates and writes the records, and `refused_rows` sets aside
invalid rows. `drafting` proposes a mapping for a table without one.
"""

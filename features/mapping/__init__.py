"""Own tables of an agency -> record files, by a mapping in TOML; no record type is named here.

`mapping` reads what a mapping says, `mapping_checks` checks it against the record types and the
`source_tables` that `inputs` open. `import_tables` then reads each table once, in blocks:
`block_columns` splits and joins, `field_values` makes values of them (`units`, `instants`),
`checked_records` checks those against the contract and writes them, and `refused_rows` sets aside
what breaks it. `drafting` proposes a mapping of a table that nobody has described.
"""

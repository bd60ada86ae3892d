"""Rows on disk: the only place that knows SQL.

`tables` are the rows, `engine` opens a SQLite file or a PostgreSQL database so that what was
committed survives a power cut, `migration` brings its tables up to date, `lookups` finds what every
request asks. There is one repository for each kind of row in `repositories`: rows go in and come
out as plain frozen values; what they mean is decided elsewhere.
On disk, what tells of parties is encrypted: `encryption` by unit, `data_keys` with the keys,
`encrypted_*` row by row, and `erasure_repository` destroys keys when a time is over.
What tells who did or read something is covered by the audit chain (`covered_tables`): whatever
`writing` commits to it is told there by `written_rows`.
`binding` holds home, database and every host to each other.
`log_verification` proves the decision log whole, `audit_verification` the audit chain and all rows
that it covers, `outline_comparison` that outlines say what decisions do.
"""

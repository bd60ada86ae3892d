"""Rows on disk: the only place that knows SQL.

`tables` are the rows, `engine` opens a SQLite file or a PostgreSQL database so that a committed row
survives a power cut, `migration` brings its tables up to date. `repositories` has one class for
each kind of row: rows go in and come out as plain frozen values; their rules stand elsewhere.
`encrypted_*` encrypt what tells of parties, `keys` holds, rotates and destroys the keys.
`row_audit` lets audit events state the digest of every row that a transaction writes.
`verification` checks a database against its chains, `backup` copies, restores and moves it.
`binding` ties home, database and hosts to each other.
"""

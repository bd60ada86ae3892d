"""Rows on disk: the only package that knows SQL.

`tables` describes the rows. `engine` opens a SQLite file or a PostgreSQL database so that a
committed row survives a power cut, and `migration` updates its tables. `repositories` has a class
for each kind of row; rows enter and leave as plain frozen values, and their rules are elsewhere.
`encrypted_*` encrypt everything about parties; `keys` stores, rotates and destroys the keys.
`row_audit` records the digest of every row a transaction writes. `verification` checks a database
against its chains; `backup` copies, restores and moves it. `binding` ties home, database and hosts
to each other.
"""

"""Row audit: events with the digest of each row a transaction writes, and readers that compare.

`writer` watches statements, `tables` lists the covered tables, `reader` returns rows only if they
match their newest event, `baseline` covers rows that existed before, and `digests` defines the
digests.
"""

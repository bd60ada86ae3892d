"""Audit events that state the digest of each row a transaction writes, and readers that compare.

`writer` watches statements, `tables` says which rows are covered, `reader` gives rows only as the
newest event states them, `baseline` covers rows that were there before, `digests` defines digests.
"""

"""Encryption of what must be erasable, without a database: ciphers, wrapping keys, search codes.

`encryption` encrypts each unit under a key of its own, `wrapping_keys` are the files that wrap data
keys, `prefix_codes` let texts be found by how they begin. The rows with keys are in `storage/keys`.
"""

"""Encryption of erasable data, without a database: ciphers, wrapping keys, search codes.

`encryption` encrypts each unit under a key of its own, `wrapping_keys` are the files that wrap data
keys, and `prefix_codes` make texts searchable by prefix. The rows of keys are in `storage/keys`.
"""

"""Proofs that the log is whole, without a database: chains, checkpoints and witnesses.

`hash_chain` links rows, `audit_log` defines audit events, and `checkpoints` sign the lengths of
both chains. `witnesses` store copies of checkpoints elsewhere, and `log_check` compares a log with
all of them. Code that reads tables to verify them is in `storage/verification`.
"""

"""Proofs that the log is whole, without a database: chains, checkpoints and witnesses.

`hash_chain` links rows, `audit_log` says what an audit event is, `checkpoints` sign how long both
chains are, `witnesses` take copies of checkpoints elsewhere, and `log_check` compares a log with
all of them. What reads tables to verify them is in `storage/verification`.
"""

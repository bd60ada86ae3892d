"""The history of the service: the online feature store, and records as they become known.

`client` reads and updates the store, `ingestion` takes records sent without a submission,
`missing_history` compares a model's training history with the known one, and `export_records`
writes all records of a home as files.
"""

"""The history of the service: the online feature store, and records as they become known.

`client` reads and follows the store, `ingestion` takes records that come by themselves,
`missing_history` says whether a model was trained on more than is known here, and `export_records`
writes all that a home holds as record files.
"""

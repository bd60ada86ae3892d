"""History of all subjects: turn records into events of the online feature store.

`ingest` accepts records in any order and counts each once. It decides which records the windows
over history count, and from when an outcome counts. `stored_columns` lists the columns that the
store keeps. `online_store` is the public interface: it ingests records and returns the window
values of subjects. A request may bring records that the store does not have; `overlay_ingest`
counts them for that request alone. `rebuild` builds a store from a folder of record files.

`features.engine.store` defines how events are stored and how windows are read from them.
"""

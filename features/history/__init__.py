"""History of everyone: records become events of the online feature store.

`ingest` takes records on arrival, in any order, each once: which records a subject's windows over
history are made of, and when an outcome counts, is said here. `stored_columns` are the columns that
the store keeps of them. `online_store` is how others use it: records go in, the windows of subjects
come out; what a request brings that is not known counts beside it (`overlay_ingest`), for that
request alone. `rebuild` makes a store of a folder of record files.

How events are kept and windows are read from them is the business of `features.engine.store`.
"""

"""The online feature store: the history of every key, ready for one subject's windows at once.

Records enter by `ingest`, each once however often it comes, in any order; an event is beside its
subject's own record as soon as both are there. `event_log` keeps the events of one key: the newest
in one blob, older ones in pages that each tell what came before (`page_format`), so that a window
reads the pages in which it begins and ends, however many lie between. `query_plan` gathers all
windows of the subjects that are asked about together and reduces them in one compiled call; what a
subject brings that is not known (`overlay_ingest`) stands beside them (`request_overlay`), for it
alone, and is kept nowhere. Blobs live in a `blob_store` that commits whole transactions:
`lmdb_store` keeps them in the home folder, where readers in other processes see every commit;
`write_buffer` holds back those of a service, to write many at a time.

The numbers are those of `features.engine.batch` over record files, bit for bit.
"""

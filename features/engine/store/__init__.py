"""The online feature store: the events of every key, ready for one subject's windows at once.

`event_log` keeps the events of one key: the newest in one blob, older ones in pages that each sum
up what came before (`page_format`), so that a window reads the pages in which it begins and ends,
however many lie between. `query_plan` reads all windows of some subjects and reduces them in one
compiled call; events that a request brings stand beside them (`request_overlay`), for it alone, and
are kept nowhere. Blobs lie in a `blob_store` that commits whole transactions: `lmdb_store` keeps
them in the home folder, where readers in other processes see every commit; `write_buffer` holds
back those of a service, to write many at a time.

The numbers are those of `features.engine.batch` over record files, bit for bit. Which records
become which events is said in `features.history`.
"""

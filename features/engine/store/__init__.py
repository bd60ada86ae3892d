"""Online feature store: events of every key, from which all windows of a subject are read at once.

`event_log` stores the events of one key: the newest in one open blob, older ones in closed pages.
Each page starts with totals of everything before it (`page_format`), so a window reads only the
pages in which it begins and ends. `query_plan` reads all windows of some subjects and reduces them
in one compiled call. Events that a request brings are added for that request alone
(`request_overlay`) and never stored.

A `blob_store` commits whole transactions. `lmdb_store` keeps blobs in the home folder, where other
processes see every commit; `write_buffer` collects the commits of a service and writes many at a
time.

Window values equal those that `features.engine.batch` computes from record files, bit for bit.
`features.history` decides which records become which events.
"""

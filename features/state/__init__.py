"""What was known before, kept: the history of every key, ready for one subject's windows at once.

Records enter by `arrivals`, each once however often it comes, in any order; an event is beside its
subject's own record as soon as both are there. `ledger` keeps the events of one key: the newest in
one blob, older ones in pages that each tell what came before (`blobs`), so that a window reads the
pages in which it begins and ends, however many lie between. `plan` gathers all windows of the
subjects that are asked about together and reduces them in one compiled call; what a subject brings
that is not known (`noting`) stands beside them (`passing`), for it alone, and is kept nowhere.
Blobs live in a `store` that commits whole transactions: `embedded` keeps them in the home folder,
where readers in other processes see every commit; `gathering` holds back those of a service, to
write many at a time.

The numbers are those of `features.asof` over record files, bit for bit.
"""

"""The migration steps: `baseline` creates all tables, further steps change them.

`baseline` creates what `serving.storage.tables` describes when it runs. On a new database a later
step therefore finds its work done: it must check first, and add only what is missing.
"""

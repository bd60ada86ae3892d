"""The steps that make the tables: `baseline` makes all of them, further steps change them.

`baseline` makes what `serving.storage.tables` describes when it runs. So a later step on a new
database finds its work done: it looks first, and adds only what is missing.
"""

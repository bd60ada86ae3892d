"""The computation of features: the same numbers for a file of millions and for one request.

`columns` and `string_table` are the form in which records are read, `expressions` computes the
formulas, `windows` says which events a window holds and how they are reduced. `batch` computes
windows for many subjects from files; `store` is the online feature store, which keeps what is
needed to compute them for one, and `online` does so for a request.

The engine knows no feature and no record type: callers hand over programs, windows and sources.
Import contracts enforce that.
"""

"""Feature engine: the same values for a file of millions of subjects and for one request.

`columns` and `string_table` define the form in which records are read. `expressions` computes
formulas. `windows` defines which events a window holds and how they are reduced. `batch` computes
windows for many subjects from files; `store` is the online feature store, which keeps what one
subject's windows need; `online` computes windows for a request.

The engine knows no feature and no record type: callers pass programs, windows and sources. Import
contracts enforce this.
"""

"""Submitted subjects, one or as many as wait: to numbers in a fraction of a millisecond each.

No column is made on the way. `encode_request` writes the fields of records into the registers of
the very programs that make training sets; `request_subject` does so for the subject itself,
`request_linked_records` for what it brings, and `request_windows` reduces every window over that
with the reducers of the store. `vector_plan` puts them together with the windows over history.
"""

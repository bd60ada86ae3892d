"""Submitted subjects, one or as many as wait: to numbers in a fraction of a millisecond each.

No column is made on the way: the fields of records are written into the registers of the very
programs that make training sets. `request_records` does so for the records that a request links to
its subject and `request_windows` reduces the windows over them; `vector_plan` puts both together
with the subject itself and the windows over history.
"""

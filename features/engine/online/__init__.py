"""Feature computation for submitted subjects, one or several at a time.

It takes a fraction of a millisecond per subject. No columns are made: record fields are written
into the registers of the same programs that make training sets. `request_records` does this for the
records that a request links to its subject, and `request_windows` reduces windows over them.
`vector_plan` combines both with the subject itself and the windows over history.
"""

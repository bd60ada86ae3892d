"""The batch engine on Spark: the same kernels, each over the rows that a shuffle brings together.

What travels is columns of many rows as one value (`messages`), so that Spark moves few rows, and
whatever engine speaks its protocol will do. `shuffle` brings all messages of a part to one task.
`scan_records` checks record files and sends each record to the part of its subject, where
`part_records` are read as those of a folder are; `keyed_windows` sends subjects and events to the
parts of their keys, where windows are swept, and numbers back to the part of the subject.
`session` finds Spark, and says what it ended with.

Nothing here names a record type's rules, a feature or a kind of subject.
"""

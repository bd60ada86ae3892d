"""Training sets and scores made on Spark: records that all workers see -> the bytes of one machine.

`session` finds Spark. Columns of many rows travel as one value (`part_messages`), so that Spark
moves few rows, and `shuffle` brings all that belongs to a part to one task. `scan_records` checks
record files and sends each record to the part of its subject, where `part_records` are read as
those of a folder are; `keyed_windows` sends subjects and events to the parts of their keys, where
the kernels of the batch engine sweep the windows, and numbers back to the part of the subject.

`plan` says what is read and sent where; `tasks` are what workers do with what a part receives,
with the functions of `part_features`; `build` runs them and writes the result, whole or not at all.
`submissions` does the same for a file of submissions (`submitted_file`), with `submission_tasks`
and what they add to the records (`new_history`). `pyspark` is imported when a session begins.
"""

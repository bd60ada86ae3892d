"""Training sets and scores computed on Spark, identical byte for byte to those of one machine.

`session` connects to Spark. Columns of many rows travel as one value (`part_messages`), so that
Spark moves few rows; `shuffle` brings all messages of a part to one task. `scan_records` checks
record files and sends each record to the part of its subject, where `part_records` reads them as if
from a folder. `keyed_windows` sends subjects and events to the parts of their keys, computes the
windows there with the kernels of the batch engine, and sends the values back to the part of the
subject.

`plan` decides what is read and where it is sent; `tasks` and `part_features` process what a part
receives; `build` runs them and writes the result atomically. `submissions` does the same for a file
of submissions (`submitted_file`), with `submission_tasks` and the records that submissions add to
history (`new_history`). All workers must be able to read the records. `pyspark` is imported when a
session begins.
"""

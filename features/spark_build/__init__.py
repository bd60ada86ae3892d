"""Training sets and scores made on Spark: records that all workers see -> the bytes of one machine.

`plan` says what is read and sent where; `tasks` are what workers do with the messages of a part
(`features.engine.spark`), with the functions of `part_features`; `build` runs them and writes what
comes back, whole or not at all. `submissions` does the same of a file of submissions
(`submitted_file`), with `submission_tasks` and what they add to the records (`new_history`).
`pyspark` is imported where a session begins, and not before.
"""

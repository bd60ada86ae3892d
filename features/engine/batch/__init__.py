"""Batch engine: windows and features of many subjects, from record files in bounded memory.

The inputs are described as data (`sources`); nothing here names a record, a feature or a type of
subject. `record_blocks` reads records, a block of rows at a time. Subjects are held in memory in
the order of declaration. Large sets of events are spread over `partitions` by key: records linked
to a subject in `linked_partitions`, events of all subjects in `stream_partitions`.

Partitions are processed one at a time, or one per thread (`build_resources`). Each is sorted by key
and time (`sort_by_key`) and swept for all windows of that key (`reduce_windows`). The earlier
events of subjects themselves are rows of the subject table (`self_join`), whose keys are numbered
once (`factorize`). `window_columns` does this for every source and stores one column per window in
`spill_columns`, from which features are computed for a block of subjects at a time
(`feature_frame`). Partitions and columns keep a limited number of bytes in memory and the rest on
disk.
"""

"""Many subjects at once: record files -> windows and features, in memory that events do not fill.

What to read is given as data (`sources`): nothing here names a record, a feature or a type of
subject. `record_blocks` is how records are read, a block of rows at a time. Subjects are held in
memory, in the order of declaration. Events that are many are spread over `partitions` by their key:
records linked to a subject in `linked_partitions`, events of anyone in `stream_partitions`. One
partition at a time, or as many as there are threads (`build_resources`), is sorted by key and time
(`sort_by_key`) and swept for all windows of that key (`sweep`). What subjects did before is rows of
the subjects themselves (`self_join`), whose keys are numbered once (`factorize`). `window_columns`
does so for every source and leaves one column per window in `spill_columns`, from which the
features of a block of subjects are computed (`feature_frame`). Partitions and columns hold so many
bytes in memory and have all others on disk.
"""

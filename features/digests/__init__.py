"""Computation digests: one SHA-256 over everything that decides the values of a feature.

A feature is digested from its result down to the fields of records: the steps it is traced into
(`program_digests`), the columns of subjects, linked records and earlier events it reads
(`column_digests`), its windows (`computations`), and untraced functions, by their syntax and the
tables they read (`code`, `syntax`).

Each reducer is implemented once. The selection and gathering of events is implemented twice, for
files and for requests. Only the implementation for files, which makes training sets, is digested;
tests compare both.

Text has no effect on a digest: docstrings, comments, labels and the names of local variables.
Neither has the position of a feature in the catalogue, or which other features there are.
"""

"""Computation digests: one SHA-256 over all that decides the numbers of a feature.

A feature is digested from its result down to the fields of records: the steps that it is traced
into (`program_digests`), the columns of subjects, linked records and earlier events that it reads
(`column_digests`), its windows (`computations`), and functions that are not traced, by their syntax
(`code`, `syntax`) and the tables that they read. The number of each reducer is made in one
place; how events are chosen and gathered is written for files and again for requests. Tests hold
the two together, and the rules for files, which training sets are made by, are digested.

Words decide nothing: a docstring, a sentence, a comment, the name of a local variable. Neither does
where a feature stands, nor which others there are.
"""

"""What decides the numbers of each feature, as one SHA-256: its computation digest.

A feature is digested from its result down to the fields of records: the steps that it is traced
into (`program`), the columns of subjects, linked records and earlier events that it reads
(`columns`), its windows (`computations`), and functions that are not traced, by their syntax
(`code`, `syntax`) and the tables that they read. Rules by which events are chosen and reduced are
written for files and again for requests; tests hold the two together, and those of files, which
training sets are made by, are digested.

Words decide nothing: a docstring, a sentence, a comment, the name of a local variable. Neither does
where a feature stands, nor which others there are.
"""

"""Many subjects at once: record files -> a training set, in memory that doesn't grow with events.

`blocks` reads record files a block of rows at a time, with text as codes; `checking` looks at each
text once, however often it stands there. `subjects` are kept in memory, in the order of
declaration. Events that are many (documents, payments, legs, positions) are spread over parts by
their key (`parts`); a part at a time, or as many as there are threads (`workshop`), is sorted by
key and time (`grouping`) and swept for all windows of that keying (`sweep`). What subjects did
before is rows of the subjects themselves (`held`), whose keys are numbered once (`numbering`).
`windows` does so for every keying and leaves one column per window on a shelf (`shelf`), from which
the features of a block of subjects are computed and written. Parts and shelf hold so many bytes in
memory and have all others on disk.
"""

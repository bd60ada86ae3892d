"""Submitted subjects, one or as many as wait: to numbers in a fraction of a millisecond each.

No column is made on the way. `filling` writes the fields of records into the registers of the very
programs that make training sets; `subject` does so for the subject itself; `attached` for what it
brings, and reduces every window over it with the reducers of `features.state`. `features.vector`
puts them together with the windows over history.
"""

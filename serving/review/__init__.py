"""Where a person decides: cases, what may be done with them, and what is learnt from it.

A decision in any lane but `release` opens a case. `case_rules` says what may happen to one, as pure
functions from a case and an act to the case after it; `actions` are what may be ordered, `results`
what an action may find and what that says about the subject. Every act is an event with the old and
the new, kept in an append-only log; an act that another was faster with is refused.
"""

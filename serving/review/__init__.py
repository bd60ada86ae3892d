"""Human review: cases, the acts on them, and the outcomes of their ends.

A decision in any lane but `release` opens a case. `cases/case_state.py` defines its state; each
file of `acts` declares an act with its input, rule and texts. A rule is a pure function from a case
to the next. `cases/actions.py` lists possible actions, `cases/results.py` the results of an action
and the labels that they imply. Every act is an event with old and new values, in an append-only
log; of two people who act at once, one is refused.
"""

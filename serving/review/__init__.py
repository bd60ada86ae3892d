"""Where a person decides: cases, the acts on them, and what is learnt from their ends.

A decision in any lane but `release` opens a case. `cases/case_state.py` says what is true of one;
each file of `acts` declares an act with its input, rule and words. A rule is a pure function
from a case to the case after it. `cases/actions.py` lists what may be ordered, `cases/results.py`
what an action may find and what that says about the subject. Every act is an event with the old and
the new value of each field, in an append-only log; of two people who act at once, one is refused.
"""

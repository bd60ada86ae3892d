"""Where a person decides: cases, what may be done with them, and what is learnt from it.

A decision in any lane but `release` opens a case. `case_state` says what is true of one, and the
modules `…_rules` what may happen to it, as pure functions from a case and an act to the case after
it: `owner_rules`, `statement_rules`, `remark_rules`, `news_rules`, `undo_rules` and `letter_rules`.
`actions` are what may be ordered, `results` what an action may find and what that says about the
subject. Every act is an event with the old and the new, kept in an append-only log; an act that
another was faster with is refused.
"""

"""Policies replayed over a history, week by week: what each would have found, and at what cost.

A `policy` says who is inspected: by rules, by score, and at random. A `history` is a training set
with what is true of its subjects, from an invented world's oracle, or with what logged inspections
found. The `replay_policy` shows a policy each week's subjects and hides every label until it would
have been known; what it leaves is a `ledger` of selections, from which `policy_figures` are
counted. `backtest_page` and `backtest_plots` show several policies side by side.
"""

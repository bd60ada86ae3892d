"""Policies replayed over a history, week by week, with their finds and costs.

A `policy` selects subjects by rules, by score and at random. A `history` is a training set with the
truth about its subjects, from a synthetic world's oracle or from logged inspections.
`replay_policy` shows a policy the subjects of each week and hides every label until it would have
been known. The result is a `ledger` of selections, from which `policy_figures` are counted.
`backtest_page` and `backtest_plots` compare policies.
"""

"""Answers, explains and remembers, so that a person can decide.

Enters: one submitted subject, over HTTP (`api`) or from a file (`commands`). The `scorer` gives
calibrated log-odds and exact contributions, `explanation` turns them into reasons in words, `lanes`
place the subject under the office's capacity, `decisions` make the whole durable before anything is
answered, and the `console` shows it to a reviewer. Leaves: a stored decision, never a verdict.

Inside the room: commands -> app -> api, console -> assessment -> decisions, lanes, explanation ->
scorer, store -> access, settings, errors. Only `store` knows SQL, only `api` and `console` HTTP,
only `scorer` LightGBM.
"""

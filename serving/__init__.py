"""Answers, explains and remembers, so that a person can decide.

Enters: one subject over HTTP (`api`) or many from a file (`offline`). `submitted` reads the bytes
or refuses them, the `desk` decides each request once, and `assessment` puts a decision together:
features against the `past`, a score by the `scorer`, reasons in words by `explanation`, a place in
one of the `lanes`. `decisions` make it durable in the `store` before anything is answered. Leaves:
a stored decision, never a verdict, which opens a case: in `review` a person claims and judges it,
over the `api` or in the `console`, and what was found becomes an outcome. `monitor` estimates from
those what holds of all traffic; `governance` holds what an agency owes before use and after harm.

Inside the room: commands -> starting -> app -> console -> api -> house -> desk, review ->
assessment -> decisions -> explanation, scorer, lanes -> store -> access, settings, errors. Only
`store` knows SQL, only `api` and `console` HTTP; nothing that answers loads LightGBM.
"""

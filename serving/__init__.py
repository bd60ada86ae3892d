"""Answers, explains and remembers, so that a person can decide.

Enters: one subject over HTTP (`api`) or many from a file (`offline`). `submitted` reads the bytes
or refuses them, the `desk` decides each request once, and `assessment` puts a decision together:
features against the `past`, a score by the `scorer`, reasons in words by `explanation`, a place in
one of the `lanes`. `decisions` make it durable in the `store` before anything is answered. Leaves:
a stored decision, never a verdict, which the `console` shows to a reviewer.

Inside the room: commands -> app -> api, console -> house -> desk -> assessment -> decisions, lanes,
explanation -> scorer, store -> access, settings, errors. Only `store` knows SQL, only `api` and
`console` HTTP, only `scorer` LightGBM.
"""

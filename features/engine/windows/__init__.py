"""What was known before an instant: windows over events by entity key.

A `Window` says which events of which key within how many days are reduced to one number
(`window`), `entity_key` how the events of a source are keyed and in what order they became known,
`reducers` what is gathered of a window's events. `features.engine.batch` computes windows for many
subjects from files, `features.engine.store` keeps what is needed to compute them for one.

Every window is half-open, `[t - days, t)` on the instant of knowledge: what became known at the
scoring instant itself is not used.
"""

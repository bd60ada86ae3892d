"""Windows over events by entity key: the facts known before an instant.

A `Window` says which events of which key within how many days are reduced to one number
(`window`) and how events are keyed for it, `event_order` in what order events became known,
`reducers` what is gathered of a window's events. `features.engine.batch` computes windows for many
subjects from files, `features.engine.store` keeps what is needed to compute them for one.

Every window is half-open, `[t - days, t)` on the instant of knowledge: what became known at the
scoring instant itself is not used.
"""

"""Windows over events by entity key: the facts known before an instant.

A `Window` defines which events of which key, within how many days, are reduced to one value
(`window_declaration`). `event_order` defines the order in which events became known, `reducers` the
totals gathered from a window's events. `features.engine.batch` computes windows for many subjects
from files; `features.engine.store` keeps what one subject's windows need.

Every window is half-open, `[t - days, t)`, on the instant of knowledge: what became known at the
scoring instant itself is not used.
"""

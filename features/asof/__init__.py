"""What was known before an instant: events by key, and windows over them.

A `Window` says which events of which key within how many days are reduced to one number
(`windows`). `events` keeps the events of a source sorted by key and by the instant they became
known. `reduction` is the compiled computation. `sources` keys each source as windows ask for it.

Every window is half-open, `[t - days, t)` on the instant of knowledge: what became known at the
scoring instant itself is not used.
"""

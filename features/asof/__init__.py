"""What was known before an instant: windows over events by key.

A `Window` says which events of which key within how many days are reduced to one number
(`windows`). `sources` tells how its events are keyed and in what order they became known.
`features.batch` computes windows for many subjects from files, `features.state` keeps what is
needed to compute them for one.

Every window is half-open, `[t - days, t)` on the instant of knowledge: what became known at the
scoring instant itself is not used.
"""

"""A synthetic world of journeys and shipments, some of which smuggle.

Input: a `scenario`, a size and a seed. Output: the record files of `features.records`, and an
oracle that no model may read, with the probability from which each truth was drawn.

The `plan` fixes what must be simulated in order of time: `corridors`, `actors` and the lives of
`networks`, which adapt when one of their movements is seized. The `world` is then made in chapters,
each from its own streams of `chance`: drafts of journeys and shipments, from which legs, positions,
documents, transactions and outcomes follow. Honest operators make honest mistakes, so no sign is
proof; `inspection` sees little, and late.

Only commands, tests and experiments use this package; it depends on records and geography.
"""

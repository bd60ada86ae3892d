"""An invented world of journeys and shipments, some of which smuggle.

Enters: a `scenario`, a size and a seed. Leaves: the record files of `features.records`, and an
oracle that no model may read: the probability from which each truth was drawn.

The `plan` settles what must be told in order: `corridors`, `actors` and the lives of `networks`,
which adapt when one of their movements is seized. The `world` is then made chapter by chapter, each
from its own streams of `chance`: drafts of journeys and shipments, on which legs, positions,
documents, transactions and outcomes hang. Honest operators make honest mistakes, so that no sign is
proof; `inspection` sees little and late.

Only commands, tests and experiments meet this room; it knows records and geography.
"""

"""Derived columns: what one record implies, and what a linked record shows beside its subject.

`subjects` makes the columns of a journey and of a shipment. `document`, `transaction`, `leg` and
`position` each look at a linked record beside its subject (`linked_record`): a payer against the
declared parties, a document's mass against the declared mass. Only what became known before the
subject's scoring instant is linked. Every source has `subject_id`, `known_at` and `record_id`, and
is sorted by the last two.
"""

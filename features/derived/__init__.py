"""Derive columns: from one record, and from a linked record relative to its subject.

`journey` and `shipment` derive columns of a subject from its own record; `subject` combines them.
`document`, `transaction`, `leg` and `position` compare a linked record with its subject
(`beside_subject`): a payer with the declared parties, a document's mass with the declared mass.
Only records known before the subject's scoring instant are linked. `outcome` makes events of
inspections. Events have `subject_id`, `known_at` and `record_id`, and are sorted by the last two.
"""

"""Derived columns: what one record implies, and what a linked record shows relative to its subject.

`journey` and `shipment` derive columns of a subject from its own record, `subject` puts them
together. `document`, `transaction`, `leg` and `position` compare a linked record with its subject
(`beside_subject`): a payer with the declared parties, a document's mass with the declared mass.
Only what became known before the subject's scoring instant is linked. `outcome` makes events of
inspections. Events have `subject_id`, `known_at` and `record_id`, and are in the order of the last
two.
"""

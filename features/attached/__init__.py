"""What is attached to a subject: its documents, transactions, legs and positions.

Only what became known before the subject's scoring instant is attached. Each row is seen against
its subject: a payer against the declared parties, a document's mass against the declared mass.
Every source has `subject_id`, `known_at` and `record_id`, and is sorted by the last two.
"""

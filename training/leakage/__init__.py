"""Does the model know what it could not have known, or only look up what it has seen?

`single_features` names a feature that all but is the label; `selection_leak` one that was written
down after the scoring instant; `pair_lookup` finds columns that identify a subject again;
`shuffled_labels` asks whether anything can be learnt from nothing; `distribution_shift` says how
far the evaluation window differs from the fit window. `checks` runs them all. A finding either
refuses the model or warns, and always shows its evidence.
"""

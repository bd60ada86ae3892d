"""Checks that a model uses no information from the future and memorises no subjects.

`single_features` finds a feature that nearly equals the label; `selection_leak` one recorded after
the scoring instant; `pair_lookup` columns that identify subjects; `shuffled_labels` tests whether
anything can be learnt from noise; `distribution_shift` measures how the evaluation window differs
from the fit window. `leakage_checks` runs them all. A finding refuses the model or warns, and
always shows its evidence.
"""

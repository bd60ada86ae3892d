"""Estimates of what inspectors would have found by following the model.

`evaluate` measures scores on labelled subjects of a later window: at the shares that can be
inspected, over all thresholds, in calibration, and by group. `evaluation_report` is the result,
`evaluation_plots` and `evaluation_page` show it. Figures from random draws are separate: only they
describe all traffic.
"""

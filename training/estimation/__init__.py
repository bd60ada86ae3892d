"""Figures of all traffic, estimated from the few subjects that were inspected.

`inspected_sample` determines how many subjects each inspected one represents, `weighted_mean`
estimates a mean from such a sample with an interval, and `population_figures` derives prevalence,
precision, recall, lift and ROC-AUC. Evaluation, gates, backtest and monitoring share them.
"""

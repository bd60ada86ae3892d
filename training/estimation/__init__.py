"""Figures of all traffic, estimated from the few subjects that were inspected.

`inspected_sample` says how many subjects each inspected one stands for, `weighted_mean` what such a
sample says of a mean and how surely, and `population_figures` turns both into prevalence,
precision, recall, lift and ROC-AUC. Evaluation, gates, backtest and monitoring share them.
"""

"""What inspectors would have found, had they followed the model.

`evaluate` judges scores on labelled subjects of a later window: at the shares that can be
inspected, over all thresholds, in calibration, and by group; `evaluation_report` is what it says,
`evaluation_plots` and `evaluation_page` show it. Figures on the random lane stand apart: only they
speak of the population.
"""

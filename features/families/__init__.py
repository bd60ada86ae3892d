"""The features, one file per kind of evidence; a feature's family is the name of its file.

A docstring here is product text: it tells a reviewer what the number is and which way it is
suspicious. Indicators are numbered as in the project's list of indicators (J journey, D document,
T transaction, N network), and each names where the indicator was published.
"""

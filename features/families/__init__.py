"""The features, one file per kind of evidence; the file's name is the family of its features.

Docstrings of features are product text: they tell a reviewer what the number is and which side of
it is suspicious. Indicators are numbered as in `features.indicators` (J journey, D document, T
transaction, N network), and each feature cites the publication of its indicator.
"""

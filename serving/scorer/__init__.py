"""From a row of features to calibrated log-odds and what each feature contributed to them.

`scores` holds the one interface that the rest of the room uses; what computes trees is its secret.
`champions` keeps the promoted model of each kind of subject loaded, and swaps it on promotion.
"""

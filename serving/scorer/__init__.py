"""From a row of features to calibrated log-odds and what each feature contributed to them.

A model's text is read strictly (`tree_text`, `tree_fields`) into plain arrays (`forest`), laid out
for scoring (`columns`, `ways`, put together in `program`) and scored by compiled functions
(`kernels`; `shapley`, by the method of `quadrature`, on the vectors of `lanes`); no library
reads the file, so that none can be harmed by it. `scores` holds the one interface that the rest of
the service uses; `champions` keeps the promoted model of each kind of subject loaded, and swaps it
on promotion.
"""

"""From a row of features to calibrated log-odds and each feature's contribution to them.

A model's text is read strictly (`tree_text`, `tree_fields`) into plain arrays (`forest`), laid out
for scoring (`threshold_bins`, `tree_paths`, combined in `packed_forest`) and scored by compiled
functions (`margins_and_contributions`; `tree_shapley`, by the method of `quadrature`, on the
vectors of `simd`); no library reads the file, so that none can be harmed by it. `scores` holds the
one interface that the rest of the service uses. `model_pool` keeps the promoted model of each kind
of subject loaded and swaps it on promotion; `kill_switch` stops all of them at once and records who
did so.
"""

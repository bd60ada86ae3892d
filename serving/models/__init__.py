"""Models: from a row of features to calibrated log-odds and each feature's contribution.

A model's text is parsed strictly (`tree_text`, `tree_fields`) into plain arrays (`forest`), laid
out for scoring (`threshold_bins`, `tree_paths`, combined in `packed_forest`) and scored by compiled
functions (`margins_and_contributions`; `tree_shapley`, by the method of `quadrature`, on the
vectors of `simd`). No third-party library reads the file, so a malicious file cannot exploit one.
`scores` is the interface for the rest of the service. `model_pool` keeps the promoted models loaded
and swaps them on promotion; `kill_switch` stops all of them at once and records who did so.
"""

"""Fitting: trees grown by LightGBM on weighted rows, and the line that calibrates them."""

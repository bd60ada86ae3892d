"""Fitting: trees fitted by LightGBM on weighted rows, and their calibration."""

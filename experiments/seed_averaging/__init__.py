"""One fit or the mean of several: measured on invented worlds."""

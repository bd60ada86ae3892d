"""A checked training set, split by time, with the authors of its labels."""

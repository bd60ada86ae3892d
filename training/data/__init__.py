"""What a model learns from: a checked training set, cut by time, with the authors of its labels."""

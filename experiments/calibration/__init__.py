"""Promised against true probabilities of the highest ranked subjects of invented worlds."""

"""Rescue: incidents, the centres that are called, and who has acknowledged a call."""

"""Verifies a database by code that shares nothing with the code that writes it."""

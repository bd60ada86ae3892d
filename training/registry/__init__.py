"""Versions of a model: registered with MLflow (`tracking`), promoted, described in a model card."""

"""The Spark of `tests/features/spark`; like there, nothing is collected where none is."""

from tests.features.spark.conftest import collect_ignore_glob, master

__all__ = ["collect_ignore_glob", "master"]

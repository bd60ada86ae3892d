"""The Spark of `tests/features/spark_build`; like there, nothing is collected where none is."""

from tests.features.spark_build.conftest import collect_ignore_glob, master

__all__ = ["collect_ignore_glob", "master"]

"""Tests of images and charts, which `make image` runs, where their tools lie."""

from importlib.util import find_spec

# Helm itself, as a library.
if find_spec("helm_python") is None:
    collect_ignore_glob = ["test_*.py"]

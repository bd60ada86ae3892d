"""Runs `main()` of every module in this folder that has one: the others are what these share."""

import pkgutil
from importlib import import_module
from pathlib import Path

for module in sorted(pkgutil.iter_modules([str(Path(__file__).parent)]), key=lambda m: m.name):
    if module.name != "__main__":
        benchmark = import_module(f"experiments.benchmarks.{module.name}")
        getattr(benchmark, "main", lambda: None)()

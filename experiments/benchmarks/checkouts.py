"""Checkouts of the project that are measured beside each other, each over a home that it made."""

import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

OURS = Path(__file__).parents[2]


class Checkout:
    """A checkout, and the home that it makes in a folder unless it is there.

    `make` are the arguments of a Python, before the home, that makes one; what is compiled lies in
    the folder too. `environment` holds what its processes need beside ours.
    """

    def __init__(self, path: Path, folder: Path, make: tuple[str, ...], *options: str):
        self.path, self.home = path.resolve(), folder.resolve() / "home"
        project = tomllib.loads((self.path / "pyproject.toml").read_text())["project"]
        self.command = ("-m", project["scripts"]["tidegate"].partition(":")[0])
        self.environment = {
            "PYTHONPATH": f"{self.path}:{self.path / 'data'}:{self.path / 'serving' / 'client'}",
            "NUMBA_CACHE_DIR": str(folder.resolve() / "compiled"),
            "OMP_NUM_THREADS": "1",
        }
        if not self.home.exists():
            self._run(*make, str(self.home), *options)

    def _run(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-P", *arguments],
            cwd=self.path,
            env=os.environ | self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def new_key(self, *scopes: str) -> str:
        """A fresh key with these scopes."""
        named = [part for scope in scopes for part in ("--scope", scope)]
        create = ["keys", "create", f"benchmark-{time.time_ns()}", *named, "--json"]
        shown = self._run(*self.command, *create, "--home", str(self.home))
        return str(json.loads(shown)["key"])

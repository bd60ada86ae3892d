"""Checkouts of the project that are measured beside each other, each over a home that it made."""

import json
import os
import subprocess
import sys
import time
import tomllib
from contextlib import AbstractContextManager
from pathlib import Path

from experiments.benchmarks.running import Started, running

UNLIMITED = {"TIDEGATE_RATE_PER_S": "1e9"}
OURS = Path(__file__).parents[2]

# Runs `make_home` of the checkout itself, over record files that another one invented.
MAKE_HOME = """
import shutil, sys
from pathlib import Path
from experiments.benchmarks import served_home
home, *worlds = map(Path, sys.argv[1:])
for world in worlds:
    served_home.invent = lambda folder, **_: shutil.copytree(world, folder)
served_home.make_home(home)
"""


class Checkout:
    """A checkout of the project, with a home in `folder` that its own code makes once.

    The home holds the record files of `world` if given. `folder` also keeps compiled functions.
    `environment` holds the variables that the checkout's processes need.
    """

    def __init__(self, path: Path, folder: Path, world: Path | None = None):
        self.path, self.home = path.resolve(), folder.resolve() / "home"
        project = tomllib.loads((self.path / "pyproject.toml").read_text())["project"]
        self.command = ("-m", project["scripts"]["tidegate"].partition(":")[0])
        self.environment = {
            "PYTHONPATH": f"{self.path}:{self.path / 'data'}:{self.path / 'serving' / 'client'}",
            "NUMBA_CACHE_DIR": str(folder.resolve() / "compiled"),
            "OMP_NUM_THREADS": "1",
        }
        if not self.home.exists():
            self._run("-c", MAKE_HOME, str(self.home), *([str(world)] if world else []))

    def new_key(self, home: Path, *scopes: str) -> str:
        """Create a key with these scopes in a home, and return its secret."""
        named = [part for scope in scopes for part in ("--scope", scope)]
        create = ["keys", "create", f"benchmark-{time.time_ns()}", *named, "--json"]
        shown = self._run(*self.command, *create, "--home", str(home))
        return str(json.loads(shown)["key"])

    def serving(self, home: Path, port: int) -> AbstractContextManager[Started]:
        """Run the service over a home, with no limit to the rate of requests."""
        command = [sys.executable, "-P", *self.command, "serve"]
        command += ["--home", str(home), "--port", str(port)]
        return running(port, "/health/ready", command, self.path, self.environment | UNLIMITED)

    def _run(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-P", *arguments],
            cwd=self.path,
            env=os.environ | self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout


def check_out(commit: str, folder: Path) -> Path:
    """Write the files of a commit to a folder unless it exists, and return the folder.

    Raises CalledProcessError if there is no such commit.
    """
    if not folder.exists():
        packed = subprocess.run(
            ["git", "-C", str(OURS), "archive", commit], check=True, stdout=subprocess.PIPE
        ).stdout
        folder.mkdir(parents=True)
        subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    return folder

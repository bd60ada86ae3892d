"""Several ways in turn: each in a process of its own, which measures once whenever it is asked."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

Figures = Mapping[str, float]


def in_turn(
    script: str, ways: Mapping[str, Mapping[str, str]], rounds: int, *arguments: str
) -> None:
    """Print what a script measures of each way, given with the environment that it needs.

    A ratio is of a way to the first one. Each compiles anew what it needs.
    """
    with tempfile.TemporaryDirectory() as scratch:
        children = {}
        for way, needs in ways.items():
            environment = {**os.environ, "NUMBA_CACHE_DIR": str(Path(scratch) / way), **needs}
            children[way] = subprocess.Popen(
                [sys.executable, script, "--child", way, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
        first = [_answer(child) for child in children.values()]
        taken = [[_asked(child) for child in children.values()] for _ in range(rounds)]
        for child in children.values():
            child.communicate()
    print(f"{'':<46}" + "".join(f"{way:>20}" for way in ways))
    for what in first[0]:
        _print(what, [figures[what] for figures in first])
    for what in taken[0][0] if taken else ():
        for name, middle in (("median", median), ("least", min)):
            of_ways = zip(*taken, strict=True)
            _print(f"{what}, {name}", [middle(f[what] for f in way) for way in of_ways])


def serve_rounds(first: Figures, measure: Callable[[int], Figures]) -> None:
    """Tell the figures of the start, then measure at each line of the standard input."""
    print(json.dumps(first), flush=True)
    for at, _ in enumerate(sys.stdin):
        print(json.dumps(measure(at)), flush=True)


def _asked(child: "subprocess.Popen[str]") -> Figures:
    assert child.stdin
    child.stdin.write("\n")
    child.stdin.flush()
    return _answer(child)


def _answer(child: "subprocess.Popen[str]") -> Figures:
    assert child.stdout
    figures: Figures = json.loads(child.stdout.readline())
    return figures


def _print(what: str, figures: list[float]) -> None:
    told = "".join(f"{figure:11.2f} ×{figure / figures[0]:6.2f} " for figure in figures)
    print(f"{what:<46}{told}", flush=True)

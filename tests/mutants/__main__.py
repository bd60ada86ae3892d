"""`python -m tests.mutants [GROUP, RIGHT or FILE …] [--share .2] [--processes 2]`: see the package.

A right, such as R54, stands for the code that its row of `docs/rights.md` names and the tests below
it. Rights are tried only if they are named.
"""

import argparse
import os
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import track

from tests.forked_pytest import load_libraries
from tests.mutants.enumeration import Target, mutations, targets, targets_of_rights
from tests.mutants.report import REASONS, reasons, scores, table, without_reason
from tests.mutants.trial import (
    AT_LEAST_S,
    SLOWER,
    Verdict,
    begin_worker,
    sound_run_s,
    tried,
)

SEED = 20261126


def main() -> int:
    """Try the mutants that were asked for; 1 where a survivor has no reason or a score is low."""
    asked = _arguments()
    chosen = [
        target
        for target in targets(Path())
        if not asked.what or target.group in asked.what or target.file in asked.what
    ]
    chosen += [target for target in targets_of_rights(Path()) if target.group in asked.what]
    if not chosen:
        groups = ", ".join(sorted({target.group for target in targets(Path())}))
        print(f"no target is called {' '.join(asked.what)}; groups are {groups}", file=sys.stderr)
        return 2
    verdicts = list(_tried(chosen, asked.share, asked.processes))
    known = reasons(REASONS.read_text(encoding="utf-8"))
    unexplained = without_reason(verdicts, known)
    of_groups = scores(verdicts, known, chosen)
    print("\n".join([*sorted(unexplained), "", table(of_groups)]))
    return int(bool(unexplained) or any(s.share < s.wanted for s in of_groups))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument(
        "what", nargs="*", help="groups, rights or files; all but rights by default"
    )
    parser.add_argument(
        "--share", type=float, default=1.0, help="share of mutants, drawn by a seed"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    return parser.parse_args()


def _tried(chosen: list[Target], share: float, processes: int) -> Iterator[Verdict]:
    """Every verdict, as the workers have them; survivors are named at once."""
    console = Console(stderr=True)
    draws = random.Random(SEED)
    load_libraries()
    with (
        TemporaryDirectory(prefix="mutants-") as scratch,
        ProcessPoolExecutor(processes, get_context("fork"), begin_worker, (scratch,)) as pool,
    ):
        by_tests = {target.tests: target for target in chosen}
        longest = dict(zip(by_tests, pool.map(sound_run_s, by_tests.values()), strict=True))
        trials = [
            (target, mutation, SLOWER * longest[target.tests] + AT_LEAST_S)
            for target in chosen
            for mutation in mutations(target)
            if draws.random() < share
        ]
        done = pool.map(tried, *zip(*trials, strict=True)) if trials else iter(())
        for verdict in track(done, "mutants", total=len(trials), console=console):
            if not verdict.is_noticed:
                told = f"survived: {verdict.file}, {verdict.within}: {verdict.change}"
                console.print(told, markup=False, soft_wrap=True)
            yield verdict


if __name__ == "__main__":
    sys.exit(main())
